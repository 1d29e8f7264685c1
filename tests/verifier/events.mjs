// Section 16: bodies of the events in receipts, and their numbers.

import { bool, enumeration, fixed, list, option, struct, u16, u32, u64, version } from './codec.mjs';
import { Countersigning, Outcome, ReceiveResult, RecordRef, SubjectId, Withheld } from './operations.mjs';

export const Attestation = enumeration('Attestation', {
  1: 'person_key', 2: 'attestor', 3: 'grantee_attested',
});
export const FlagRule = enumeration('FlagRule', { 1: 'receive_mismatch', 2: 'silent_countersigner' });
export const DeadlineKind = enumeration('DeadlineKind', {
  0: 'none', 1: 'insurer_request', 2: 'hospital_release', 3: 'insurer_decide', 4: 'person_paper', 5: 'insurer_review', 6: 'insurer_pay',
  7: 'insurer_explain',
});

export const FiledClaim = struct('FiledClaim', [
  ['claim', fixed(32)],
  ['policy', fixed(32)],
  ['insurer', fixed(32)],
]);

export const FilingRefusal = struct('FilingRefusal', [
  ['filing', u16],
  ['insurer', fixed(32)],
  ['code', u16],
]);

export const WithdrawnClaim = struct('WithdrawnClaim', [
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
]);

export const ConsentGiven = struct('ConsentGiven', [
  ['version', version(1)],
  ['consent', fixed(32)],
  ['subject', SubjectId],
  ['grantee', fixed(32)],
  ['attestation', Attestation],
  ['attested_by', fixed(32)],
  ['hash', fixed(32)],
]);

export const ConsentsConfirmed = struct('ConsentsConfirmed', [
  ['version', version(1)],
  ['count', u32],
  ['attestation', Attestation],
  ['attested_by', fixed(32)],
]);

export const ConsentRevoked = struct('ConsentRevoked', [
  ['version', version(1)],
  ['consent', fixed(32)],
  ['subject', SubjectId],
  ['grantee', fixed(32)],
]);

export const PersonKeyRegistered = struct('PersonKeyRegistered', [
  ['version', version(1)],
  ['subject', SubjectId],
  ['key', option(fixed(33))],
  ['attested_by', fixed(32)],
]);

export const RecordRegistered = struct('RecordRegistered', [
  ['version', version(1)],
  ['record', RecordRef],
  ['custodian', fixed(32)],
]);

export const RecordWasRead = struct('RecordWasRead', [
  ['version', version(1)],
  ['record', RecordRef],
  ['reader', fixed(32)],
  ['custodian', fixed(32)],
  ['subject', option(SubjectId)],
]);

export const Granted = struct('Granted', [
  ['version', version(1)],
  ['grant', fixed(32)],
  ['record', RecordRef],
  ['reader', fixed(32)],
  ['custodian', fixed(32)],
  ['subject', option(SubjectId)],
  ['consent', fixed(32)],
  ['attestation', Attestation],
  ['expires_at', u64],
]);

export const Denied = struct('Denied', [
  ['version', version(1)],
  ['code', u16],
  ['record', RecordRef],
  ['reader', fixed(32)],
  ['subject', option(SubjectId)],
]);

export const Released = struct('Released', [
  ['version', version(1)],
  ['grant', fixed(32)],
  ['record', RecordRef],
  ['reader', fixed(32)],
  ['custodian', fixed(32)],
  ['recipient_key', fixed(33)],
  ['ends_at', u64],
]);

export const Received = struct('Received', [
  ['version', version(1)],
  ['grant', fixed(32)],
  ['record', RecordRef],
  ['reader', fixed(32)],
  ['custodian', fixed(32)],
  ['result', ReceiveResult],
]);

export const ProductRegistered = struct('ProductRegistered', [
  ['version', version(1)],
  ['product', fixed(32)],
  ['product_version', u32],
  ['insurer', fixed(32)],
]);

export const Enrolled = struct('Enrolled', [
  ['version', version(1)],
  ['insurer', fixed(32)],
  ['lines', u32],
  ['attestation', Attestation],
  ['attested_by', fixed(32)],
]);

export const Reported = struct('Reported', [
  ['version', version(1)],
  ['encounter', fixed(32)],
  ['reporter', fixed(32)],
  ['claims', u32],
  ['lapses_at', u64],
]);

export const Filed = struct('Filed', [
  ['version', version(1)],
  ['encounter', fixed(32)],
  ['claims', list(FiledClaim, 1, 64)],
]);

export const NotFiled = struct('NotFiled', [
  ['version', version(1)],
  ['encounter', fixed(32)],
  ['filings', list(FilingRefusal, 1, 32)],
]);

export const ClaimOpened = struct('ClaimOpened', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['payload_version', u32],
  ['due', u64],
]);

export const ClaimsWithdrawn = struct('ClaimsWithdrawn', [
  ['version', version(1)],
  ['consent', fixed(32)],
  ['claims', list(WithdrawnClaim, 1, 64)],
]);

export const ClaimDecided = struct('ClaimDecided', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['reporter', fixed(32)],
  ['number', u16],
  ['outcome', Outcome],
  ['withheld', Withheld],
  ['countersigning', Countersigning],
  ['persons', u16],
  ['due', u64],
]);

export const ClaimSupplemented = struct('ClaimSupplemented', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['brought_by', fixed(32)],
  ['due', u64],
]);

export const ClaimPaid = struct('ClaimPaid', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['number', u16],
  ['closed', bool],
]);

export const ClaimWithdrawn = struct('ClaimWithdrawn', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['attested_by', fixed(32)],
]);

export const ReviewRequested = struct('ReviewRequested', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['attested_by', fixed(32)],
  ['due', u64],
]);

export const ClaimExplained = struct('ClaimExplained', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['insurer', fixed(32)],
  ['number', u16],
  ['closed', bool],
]);

export const LateCountersigned = struct('LateCountersigned', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['reporter', fixed(32)],
  ['number', u16],
]);

export const CatalogPublished = struct('CatalogPublished', [
  ['version', version(1)],
  ['catalog', fixed(32)],
  ['catalog_version', u32],
  ['publisher', fixed(32)],
]);

export const Alarm = struct('Alarm', [
  ['claim', fixed(32)],
  ['kind', DeadlineKind],
  ['due', u64],
  ['debtor', fixed(32)],
]);

export const AlarmsRaised = struct('AlarmsRaised', [
  ['version', version(1)],
  ['alarms', list(Alarm, 1, 64)],
]);

export const FlagRaised = struct('FlagRaised', [
  ['version', version(1)],
  ['rule', FlagRule],
  ['rule_version', u16],
  ['about', fixed(32)],
  ['raised_on', fixed(32)],
]);

// [kind, name, type of the body]
const TABLE = [
  [101, 'consent_given', ConsentGiven],
  [102, 'consents_confirmed', ConsentsConfirmed],
  [103, 'consent_revoked', ConsentRevoked],
  [104, 'person_key_registered', PersonKeyRegistered],
  [201, 'record_registered', RecordRegistered],
  [202, 'record_read', RecordWasRead],
  [203, 'granted', Granted],
  [204, 'denied', Denied],
  [205, 'released', Released],
  [206, 'received', Received],
  [301, 'product_registered', ProductRegistered],
  [311, 'enrolled', Enrolled],
  [321, 'catalog_published', CatalogPublished],
  [401, 'reported', Reported],
  [402, 'filed', Filed],
  [403, 'not_filed', NotFiled],
  [404, 'opened', ClaimOpened],
  [405, 'claims_withdrawn', ClaimsWithdrawn],
  [406, 'claim_decided', ClaimDecided],
  [407, 'claim_supplemented', ClaimSupplemented],
  [408, 'claim_paid', ClaimPaid],
  [409, 'claim_withdrawn', ClaimWithdrawn],
  [410, 'review_requested', ReviewRequested],
  [411, 'claim_explained', ClaimExplained],
  [412, 'late_countersigned', LateCountersigned],
  [901, 'flag_raised', FlagRaised],
  [902, 'alarms_raised', AlarmsRaised],
];

export const EVENT_KINDS = new Map(TABLE.map(([kind, name, body]) => [kind, { name, body }]));
