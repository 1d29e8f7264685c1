// Section 18: which facts an applied operation of each kind gives, row by row as in the document.
//
// A row is a function of a context c = {content, first, filed, alarms, attestor, person} that gives a list of facts: none if its condition
// does not hold. c.first.NAME is the first event of that name whose body decodes, or undefined; c.filed are the claims of all events `filed`,
// c.alarms the alarms of all events `alarms_raised`; c.attestor and c.person say whether a cosignature of that capacity is there. Rows that belong to a line of a batch also get its number i.

import { civilDate, civilMonth, utcTime } from './civil.mjs';
import { RECEIPT_CODES } from './codes.mjs';
import { encode, hexToBytes } from './codec.mjs';
import { ZERO_HASH, sha256 } from './crypto.mjs';
import { SubjectId } from './operations.mjs';

// ---- forms of values

const SUBJECT = (id) => `${id.audience === ZERO_HASH ? 'care' : id.audience}/${id.value}`;
const POLICY = (line) => sha256('policy', encode(SubjectId, line.subject), hexToBytes(line.evidence));
const RECORD = (ref) => `${ref.record} version ${ref.version}`;
const SET = (names) => names.join(' ');
const CODE = (number) => RECEIPT_CODES.get(number) ?? String(number);
const INSTITUTION = (id) => `institution ${id}`;
const TIME = utcTime;
const DATE = civilDate;
const MONTH = civilMonth;

// ---- rows. `value` may give a list, for "one fact each"; `when` is the condition.

const always = () => true;

function row(name, value, label, by, when) {
  return (c, i) => {
    if (!when(c, i)) return [];
    return [value(c, i)].flat().map((one) => ({ name, value: String(one), label, by: by(c, i) }));
  };
}

const enforced = (name, value, when = always) => row(name, value, 'enforced', () => '', when);
const stated = (name, value, by, when = always) => row(name, value, 'stated', by, when);
const agreed = (name, value, by, when = always) => row(name, value, 'agreed', by, when);
const bySender = () => 'sender';

// Agreed between the sender and the person, else an attestor, if one cosigned; else only stated by the sender.
function attested(name, value, when = always) {
  const pair = [
    agreed(name, value, () => 'sender and the person', (c, i) => c.person && when(c, i)),
    agreed(name, value, () => 'sender and attestor', (c, i) => !c.person && c.attestor && when(c, i)),
    stated(name, value, bySender, (c, i) => !c.person && !c.attestor && when(c, i)),
  ];
  return (c, i) => pair.flatMap((one) => one(c, i));
}

// ---- parts that several kinds share

const byReader = (c) => INSTITUTION(c.content.originator.institution);

const isMember = (c) => c.content.originator.signed_by === 'member';
const isInstitution = (c) => c.content.originator.signed_by === 'institution';

const WHO_READS = [
  enforced('record', (c) => RECORD(c.content.record)),
  enforced('reader', (c) => c.content.originator.institution),
  enforced('member', (c) => c.content.originator.member, isMember),
  stated('member', (c) => c.content.originator.member, byReader, isInstitution),
  enforced('mode', (c) => c.content.mode, isMember),
  stated('mode', (c) => c.content.mode, byReader, isInstitution),
  stated('purpose', (c) => c.content.purpose, byReader),
  stated('trigger', (c) => c.content.trigger, byReader),
];

const CONSENTED = (terms) => [
  attested('purposes', (c) => SET(terms(c).purposes)),
  attested('classes', (c) => SET(terms(c).classes)),
  attested('level_ceiling', (c) => terms(c).level_ceiling),
];

const listedRecords = (c) => c.content.disclosure.records.map(RECORD);

const FILED_LINES = {
  count: (c) => c.filed.length,
  rows: [
    enforced('claim_filed', (c, i) => c.filed[i].claim),
    enforced('policy', (c, i) => c.filed[i].policy),
    enforced('insurer', (c, i) => c.filed[i].insurer),
  ],
};

// ---- consent.*

const terms = (c) => c.content.terms;

const CONSENT_GIVE = {
  needs: ['consent_given'],
  rows: [
    enforced('consent', (c) => terms(c).id),
    enforced('subject', (c) => SUBJECT(terms(c).subject)),
    enforced('grantee', (c) => terms(c).grantee),
    attested('giver', (c) => terms(c).giver),
    ...CONSENTED(terms),
    attested('holds_from', (c) => (terms(c).from === 0n ? 'when_given' : TIME(terms(c).from))),
    attested('holds_to', (c) => TIME(terms(c).to)),
    attested('automatic_reading', (c) => terms(c).automatic),
    attested('encounter', (c) => terms(c).encounter, (c) => terms(c).encounter !== null),
    attested('exceptions', (c) => terms(c).exceptions.length, (c) => terms(c).exceptions.length > 0),
    enforced('attestation', (c) => c.first.consent_given.attestation),
    enforced('attested_by', (c) => c.first.consent_given.attested_by, (c) => c.first.consent_given.attested_by !== ZERO_HASH),
  ],
};

const CONSENT_CONFIRM = {
  needs: ['consents_confirmed'],
  rows: [
    enforced('attestation', (c) => c.first.consents_confirmed.attestation),
    enforced('attested_by', (c) => c.first.consents_confirmed.attested_by, (c) => c.first.consents_confirmed.attested_by !== ZERO_HASH),
  ],
  lines: {
    count: (c) => c.content.consents.length,
    rows: [
      enforced('consent', (c, i) => c.content.consents[i].id),
      enforced('terms_hash', (c, i) => c.content.consents[i].hash),
    ],
  },
};

const registeredKey = (c) => c.first.person_key_registered;

const CONSENT_REGISTER_KEY = {
  needs: ['person_key_registered'],
  rows: [
    enforced('subject', (c) => SUBJECT(registeredKey(c).subject)),
    enforced('person_key', (c) => registeredKey(c).key ?? 'none'),
    enforced('attested_by', (c) => registeredKey(c).attested_by),
    stated('key_is_the_persons', () => 'yes', (c) => INSTITUTION(registeredKey(c).attested_by), (c) => registeredKey(c).key !== null),
  ],
};

const withdrawn = (c) => c.first.claims_withdrawn?.claims ?? [];

const CONSENT_REVOKE = {
  needs: ['consent_revoked'],
  rows: [
    enforced('consent', (c) => c.first.consent_revoked.consent),
    enforced('subject', (c) => SUBJECT(c.first.consent_revoked.subject)),
    enforced('grantee', (c) => c.first.consent_revoked.grantee),
    attested('the_person_wants_it', () => 'yes'),
    enforced('claims_withdrawn', (c) => withdrawn(c).length, (c) => c.first.claims_withdrawn !== undefined),
  ],
  lines: {
    count: (c) => withdrawn(c).length,
    rows: [
      enforced('claim_withdrawn', (c, i) => withdrawn(c)[i].claim),
      enforced('insurer', (c, i) => withdrawn(c)[i].insurer),
    ],
  },
};

// ---- records.*

const byRegistrar = (c) => INSTITUTION(c.first.record_registered.custodian);

const RECORDS_REGISTER = {
  needs: ['record_registered'],
  rows: [
    enforced('record', (c) => RECORD(c.first.record_registered.record)),
    enforced('custodian', (c) => c.first.record_registered.custodian),
    stated('subject', (c) => SUBJECT(c.content.subject), byRegistrar),
    stated('class', (c) => c.content.record_class, byRegistrar),
    stated('level', (c) => c.content.level, byRegistrar),
    stated('commitment', (c) => c.content.commitment, byRegistrar),
  ],
};

const isCare = (c) => c.content.basis.kind === 'care';
const byLocalReader = (c) => INSTITUTION(c.first.record_read.reader);

const RECORDS_READ = {
  needs: ['record_read'],
  rows: [
    enforced('reading', () => 'local'),
    ...WHO_READS,
    enforced('custodian', (c) => c.first.record_read.custodian),
    stated(
      'subject', (c) => SUBJECT(c.first.record_read.subject),
      (c) => INSTITUTION(c.first.record_read.custodian), (c) => c.first.record_read.subject !== null,
    ),
    enforced('basis', (c) => c.content.basis.kind, (c) => !isCare(c)),
    stated('basis', (c) => c.content.basis.kind, byLocalReader, isCare),
    enforced('basis_id', (c) => c.content.basis.id, (c) => !isCare(c)),
    stated('basis_id', (c) => c.content.basis.id, byLocalReader, isCare),
  ],
};

const granted = (c) => c.first.granted !== undefined;
const denied = (c) => !granted(c); // demanded by needsOneOf
const byDenied = (c) => INSTITUTION(c.first.denied.reader);

const RECORDS_REQUEST = {
  needsOneOf: ['granted', 'denied'],
  rows: [
    enforced('reading', (c) => (granted(c) ? 'granted' : 'denied')),
    enforced('grant', (c) => c.first.granted.grant, granted),
    enforced('denied_because', (c) => CODE(c.first.denied.code), denied),
    ...WHO_READS,
    enforced('custodian', (c) => c.first.granted.custodian, granted),
    stated(
      'subject', (c) => SUBJECT(c.first.granted.subject),
      (c) => INSTITUTION(c.first.granted.custodian), (c) => granted(c) && c.first.granted.subject !== null,
    ),
    stated('subject', (c) => SUBJECT(c.first.denied.subject), () => 'custodian', (c) => denied(c) && c.first.denied.subject !== null),
    enforced('basis', (c) => c.content.basis.kind, granted),
    stated('basis', (c) => c.content.basis.kind, byDenied, denied),
    enforced('basis_id', (c) => c.content.basis.id, granted),
    stated('basis_id', (c) => c.content.basis.id, byDenied, denied),
    enforced('consent', (c) => c.first.granted.consent, granted),
    enforced('attestation', (c) => c.first.granted.attestation, granted),
    enforced('release_until', (c) => TIME(c.first.granted.expires_at), granted),
    stated('via', (c) => c.content.via, (c) => INSTITUTION(c.first.granted.reader), granted),
  ],
};

const byReleaser = (c) => INSTITUTION(c.first.released.custodian);

const RECORDS_RELEASE = {
  needs: ['released'],
  rows: [
    enforced('reading', () => 'released'),
    enforced('grant', (c) => c.first.released.grant),
    enforced('record', (c) => RECORD(c.first.released.record)),
    enforced('reader', (c) => c.first.released.reader),
    enforced('custodian', (c) => c.first.released.custodian),
    enforced('commitment', (c) => c.content.commitment),
    stated('wrap_hash', (c) => c.content.wrap_hash, byReleaser),
    stated('ciphertext_hash', (c) => c.content.ciphertext_hash, byReleaser),
    enforced('receive_until', (c) => TIME(c.first.released.ends_at)),
  ],
};

const bothEnds = (c) => `${INSTITUTION(c.first.received.custodian)} and ${INSTITUTION(c.first.received.reader)}`;
const opened = (c) => c.first.opened !== undefined;

const RECORDS_RECEIVE = {
  needs: ['received'],
  rows: [
    enforced('reading', () => 'received'),
    enforced('grant', (c) => c.first.received.grant),
    enforced('record', (c) => RECORD(c.first.received.record)),
    enforced('reader', (c) => c.first.received.reader),
    enforced('custodian', (c) => c.first.received.custodian),
    agreed('commitment', (c) => c.content.commitment, bothEnds, (c) => c.first.received.result === 'ok'),
    stated(
      'mismatch', (c) => c.content.commitment,
      (c) => INSTITUTION(c.first.received.reader), (c) => c.first.received.result === 'mismatch',
    ),
    enforced('claim_opened', (c) => c.first.opened.claim, opened),
    enforced('insurer', (c) => c.first.opened.insurer, opened),
    enforced('decision_due', (c) => TIME(c.first.opened.due), opened),
  ],
};

// ---- product.register, policies.enrol

const byInsurer = (c) => INSTITUTION(c.content.insurer);

const PRODUCT_REGISTER = {
  rows: [
    enforced('product', (c) => c.content.product),
    enforced('product_version', (c) => c.content.product_version),
    enforced('insurer', (c) => c.content.insurer),
    stated('content_hash', (c) => c.content.content, byInsurer),
    stated('cover_basis', (c) => c.content.cover_basis, byInsurer),
    stated('authorization', (c) => c.content.authorization, byInsurer),
    stated('payer_rank', (c) => c.content.payer_rank, byInsurer),
    stated('premium_sources', (c) => SET(c.content.premium_sources), byInsurer),
    stated('starts_from', (c) => DATE(c.content.from_day), byInsurer),
    stated('starts_to', (c) => DATE(c.content.to_day), byInsurer),
  ],
};

const enrolLine = (c, i) => c.content.lines[i];

const POLICIES_ENROL = {
  needs: ['enrolled'],
  rows: [
    enforced('product', (c) => c.content.product),
    enforced('product_version', (c) => c.content.product_version),
    enforced('insurer', (c) => c.first.enrolled.insurer),
    enforced('lines', (c) => c.first.enrolled.lines),
    enforced('attestation', (c) => c.first.enrolled.attestation),
    enforced('attested_by', (c) => c.first.enrolled.attested_by, (c) => c.first.enrolled.attested_by !== ZERO_HASH),
    ...CONSENTED((c) => c.content),
    attested('automatic_reading', (c) => c.content.automatic),
  ],
  lines: {
    count: (c) => c.content.lines.length,
    rows: [
      enforced('policy', (c, i) => POLICY(enrolLine(c, i))),
      enforced('subject', (c, i) => SUBJECT(enrolLine(c, i).subject)),
      attested('premium_class', (c, i) => enrolLine(c, i).premium_class),
      attested('premium_source', (c, i) => enrolLine(c, i).premium_source),
      attested('cover_from', (c, i) => DATE(enrolLine(c, i).from_day)),
      attested('cover_to', (c, i) => DATE(enrolLine(c, i).to_day)),
      enforced('consent', (c, i) => POLICY(enrolLine(c, i))),
      attested('holds_to', (c, i) => TIME(enrolLine(c, i).consent_to)),
    ],
  },
};

// ---- claims.*

const byReporter = (c) => INSTITUTION(c.first.reported.reporter);
const disclosed = (c) => c.content.disclosure !== null;

const CLAIMS_REPORT = {
  needs: ['reported'],
  rows: [
    enforced('encounter', (c) => c.content.encounter),
    enforced('reporter', (c) => c.first.reported.reporter),
    stated('report_kind', (c) => c.content.kind, byReporter),
    stated('first_month', (c) => MONTH(c.content.first_month), byReporter),
    stated('last_month', (c) => MONTH(c.content.last_month), byReporter),
    enforced('payload', (c) => RECORD(c.content.payload)),
    stated('payload_commitment', (c) => c.content.payload.commitment, byReporter),
    enforced('invoices', (c) => c.content.invoices.length),
    enforced('claims', (c) => c.first.reported.claims),
    enforced('file_until', (c) => TIME(c.first.reported.lapses_at)),
    enforced(
      'not_filed', (c) => c.first.not_filed.filings.map((filing) => `${filing.insurer} ${CODE(filing.code)}`),
      (c) => c.first.not_filed !== undefined,
    ),
    stated('care_subject', (c) => SUBJECT(c.content.disclosure.care_subject), bySender, disclosed),
    enforced('listed_record', listedRecords, disclosed),
  ],
  lines: FILED_LINES,
};

const CLAIMS_FILE = {
  rows: [
    enforced('encounter', (c) => c.content.encounter),
    enforced('subject', (c) => SUBJECT(c.content.filing.subject)),
    enforced('consent', (c) => c.content.filing.consent),
    stated('care_subject', (c) => SUBJECT(c.content.disclosure.care_subject), bySender),
    enforced('listed_record', listedRecords),
  ],
  lines: FILED_LINES,
};

// ---- from the decision to the end of a claim

const decision = (c) => c.first.claim_decided;
const isPayable = (c) => c.content.outcome === 'payable';
const isCountersigned = (c) => isPayable(c) && c.content.countersigning === 'countersigned';
const byDecider = (c) => INSTITUTION(decision(c).insurer);
const byBoth = (c) => `${INSTITUTION(decision(c).insurer)} and ${INSTITUTION(decision(c).reporter)}`;
const payouts = (c) => c.content.lines.map((line) => `invoice ${line.invoice ?? ZERO_HASH} payout ${line.payout} balance ${line.balance_before}`);
const yesOrNo = (value) => (value ? 'yes' : 'no');
const notZeros = (id) => id !== ZERO_HASH;

// Agreed where the reporter countersigned, else only stated by the insurer.
function vouched(name, value, when = always) {
  const pair = [
    agreed(name, value, byBoth, (c, i) => isCountersigned(c) && when(c, i)),
    stated(name, value, byDecider, (c, i) => !isCountersigned(c) && when(c, i)),
  ];
  return (c, i) => pair.flatMap((one) => one(c, i));
}

const CLAIMS_DECIDE = {
  needs: ['claim_decided'],
  rows: [
    enforced('claim', (c) => c.content.claim),
    enforced('decision_number', (c) => c.content.number),
    enforced('insurer', (c) => decision(c).insurer),
    vouched('claim_outcome', (c) => c.content.outcome),
    enforced('payload_version', (c) => c.content.payload_version),
    enforced('product_version', (c) => c.content.product_version),
    enforced('code_map', (c) => c.content.map, (c) => notZeros(c.content.map)),
    stated('rule_set', (c) => c.content.rule_set, byDecider),
    stated('engine', (c) => c.content.engine, byDecider),
    enforced('persons_signed', (c) => decision(c).persons, (c) => decision(c).persons !== 0),
    vouched('decision_commitment', (c) => c.content.decision),
    enforced('countersigning', (c) => c.content.countersigning, isPayable),
    vouched('withheld', (c) => c.content.withheld, isPayable),
    vouched('payout', payouts, isPayable),
    enforced('sums_moved', (c) => c.content.lines.length, isPayable),
    enforced('total_before', (c) => c.content.total_before, isPayable),
    enforced('accumulators', (c) => c.content.accumulators.length, isPayable),
    vouched('escrow_hash', (c) => c.content.escrow, isPayable),
    enforced('next_due', (c) => TIME(decision(c).due)),
  ],
};

const CLAIMS_SUPPLEMENT = {
  needs: ['claim_supplemented'],
  rows: [
    enforced('claim', (c) => c.content.claim),
    enforced('insurer', (c) => c.first.claim_supplemented.insurer),
    enforced('brought_by', (c) => c.first.claim_supplemented.brought_by),
    enforced('record', (c) => c.content.records.map(RECORD)),
    enforced('next_due', (c) => TIME(c.first.claim_supplemented.due)),
  ],
};

const byPayer = (c) => INSTITUTION(c.first.claim_paid.insurer);

const CLAIMS_PAY = {
  needs: ['claim_paid'],
  rows: [
    enforced('claim', (c) => c.content.claim),
    enforced('decision_number', (c) => c.content.number),
    enforced('insurer', (c) => c.first.claim_paid.insurer),
    stated('payee_kind', (c) => c.content.payee_kind, byPayer),
    stated('payment_reference', (c) => c.content.reference, byPayer),
    enforced('claim_closed', (c) => yesOrNo(c.first.claim_paid.closed)),
  ],
};

const CLAIMS_WITHDRAW = {
  needs: ['claim_withdrawn'],
  rows: [
    enforced('claim', (c) => c.first.claim_withdrawn.claim),
    enforced('insurer', (c) => c.first.claim_withdrawn.insurer),
    enforced('attested_by', (c) => c.first.claim_withdrawn.attested_by, (c) => notZeros(c.first.claim_withdrawn.attested_by)),
  ],
};

const CLAIMS_REQUEST_REVIEW = {
  needs: ['review_requested'],
  rows: [
    enforced('claim', (c) => c.first.review_requested.claim),
    enforced('insurer', (c) => c.first.review_requested.insurer),
    enforced('attested_by', (c) => c.first.review_requested.attested_by, (c) => notZeros(c.first.review_requested.attested_by)),
    enforced('next_due', (c) => TIME(c.first.review_requested.due)),
  ],
};

const CLAIMS_LATE_COUNTERSIGN = {
  needs: ['late_countersigned'],
  rows: [
    enforced('claim', (c) => c.first.late_countersigned.claim),
    enforced('decision_number', (c) => c.first.late_countersigned.number),
    enforced('reporter', (c) => c.first.late_countersigned.reporter),
  ],
};

const CLAIMS_EXPLAINED = {
  needs: ['claim_explained'],
  rows: [
    enforced('claim', (c) => c.content.claim),
    enforced('decision_number', (c) => c.content.number),
    enforced('insurer', (c) => c.first.claim_explained.insurer),
    stated('explanation', (c) => c.content.explanation, (c) => INSTITUTION(c.first.claim_explained.insurer)),
    enforced('claim_closed', (c) => yesOrNo(c.first.claim_explained.closed)),
  ],
};

const CATALOG_PUBLISH = {
  needs: ['catalog_published'],
  rows: [
    enforced('catalog', (c) => c.content.catalog),
    enforced('catalog_version', (c) => c.content.catalog_version),
    enforced('publisher', (c) => c.first.catalog_published.publisher),
    stated('map_hash', (c) => c.content.content, (c) => INSTITUTION(c.first.catalog_published.publisher)),
  ],
};

const SYSTEM_SWEEP = {
  rows: [enforced('swept_to', (c) => TIME(c.content.up_to))],
  lines: {
    count: (c) => c.alarms.length,
    rows: [
      enforced('claim', (c, i) => c.alarms[i].claim),
      enforced('overdue', (c, i) => c.alarms[i].kind),
      enforced('was_due', (c, i) => TIME(c.alarms[i].due)),
      enforced('debtor', (c, i) => c.alarms[i].debtor, (c, i) => notZeros(c.alarms[i].debtor)),
    ],
  },
};

// needs: events without which a file is refused; lines: rows of each line of a batch, after all rows of the whole operation.
export const FACT_ROWS = new Map([
  ['consent.give', CONSENT_GIVE],
  ['consent.confirm', CONSENT_CONFIRM],
  ['consent.revoke', CONSENT_REVOKE],
  ['consent.register_key', CONSENT_REGISTER_KEY],
  ['records.register', RECORDS_REGISTER],
  ['records.read', RECORDS_READ],
  ['records.request', RECORDS_REQUEST],
  ['records.release', RECORDS_RELEASE],
  ['records.receive', RECORDS_RECEIVE],
  ['product.register', PRODUCT_REGISTER],
  ['policies.enrol', POLICIES_ENROL],
  ['claims.report', CLAIMS_REPORT],
  ['claims.file', CLAIMS_FILE],
  ['catalog.publish', CATALOG_PUBLISH],
  ['claims.decide', CLAIMS_DECIDE],
  ['claims.supplement', CLAIMS_SUPPLEMENT],
  ['claims.pay', CLAIMS_PAY],
  ['claims.withdraw', CLAIMS_WITHDRAW],
  ['claims.request_review', CLAIMS_REQUEST_REVIEW],
  ['claims.late_countersign', CLAIMS_LATE_COUNTERSIGN],
  ['claims.explained', CLAIMS_EXPLAINED],
  ['system.sweep', SYSTEM_SWEEP],
]);
