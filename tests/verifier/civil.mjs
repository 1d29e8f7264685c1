// Civil dates and times of sections 11 and 18: proleptic Gregorian calendar, fixed offsets, no leap seconds.

const DAY_MS = 86400000;
const YEAR_9999 = 253370764800000n; // from here on times are shown as their digits

const pad = (number, width) => String(number).padStart(width, '0');

// Day 0 is 1970-01-01. Counted from 0000-03-01, so that the leap day is the last of its year; 400 years have 146097 days.
function civilFromDays(days) {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function civilDate(days) {
  const { year, month, day } = civilFromDays(days);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

export function civilMonth(months) {
  return `${pad(1970 + Math.floor(months / 12), 4)}-${pad((months % 12) + 1, 2)}`;
}

function localTime(time, offsetMinutes) {
  const local = Number(time) + offsetMinutes * 60000;
  const days = Math.floor(local / DAY_MS);
  const rest = local - days * DAY_MS;
  const clock = [Math.floor(rest / 3600000), Math.floor(rest / 60000) % 60, Math.floor(rest / 1000) % 60];
  return `${civilDate(days)}T${clock.map((part) => pad(part, 2)).join(':')}.${pad(rest % 1000, 3)}`;
}

// time: BigInt, ms since 1970-01-01T00:00Z.
export function civilTime(time, offsetMinutes) {
  if (time >= YEAR_9999) return `${time} ms`;
  const minutes = Math.abs(offsetMinutes);
  const offset = `${offsetMinutes < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}`;
  return localTime(time, offsetMinutes) + offset;
}

export function utcTime(time) {
  return time >= YEAR_9999 ? `${time} ms` : `${localTime(time, 0)}Z`;
}
