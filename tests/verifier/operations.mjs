// Section 15: contents of the operations of the native contracts, and the numbers and names of their kinds.

import { ASCENDING, enumeration, fixed, list, option, struct, u16, u32, u64, u8, version } from './codec.mjs';

export const Purpose = enumeration('Purpose', {
  1: 'TREAT', 2: 'HPAYMT', 3: 'HOPERAT', 4: 'PATRQT',
  5: 'HRESCH', 6: 'PUBHLTH', 7: 'HLEGAL', 8: 'ETREAT',
});
export const RecordClass = enumeration('RecordClass', {
  1: 'administrative', 2: 'bill', 3: 'clinical_summary', 4: 'document',
  5: 'image',
});
export const Level = enumeration('Level', { 1: '1', 2: '2', 3: '3', 4: '4', 5: '5' });
export const BasisKind = enumeration('BasisKind', {
  1: 'consent', 2: 'claim', 3: 'care', 4: 'legal',
  5: 'break_glass',
});
export const SignedBy = enumeration('SignedBy', { 1: 'member', 2: 'institution' });
export const Giver = enumeration('Giver', { 1: 'self', 2: 'guardian' });
export const Automatic = enumeration('Automatic', { 0: 'refused', 1: 'allowed' });
export const PremiumSource = enumeration('PremiumSource', {
  1: 'cash', 2: 'own_account', 3: 'lineal_account',
});
export const Mode = enumeration('Mode', { 1: 'human', 2: 'automatic' });
export const Trigger = enumeration('Trigger', {
  1: 'person_action', 2: 'claim_filed', 3: 'countersignature', 4: 'scheduled',
  5: 'audit',
});
export const ReceiveResult = enumeration('ReceiveResult', { 1: 'ok', 2: 'mismatch' });
export const CoverBasis = enumeration('CoverBasis', { 1: 'admission', 2: 'discharge', 3: 'item_date' });
export const Authorization = enumeration('Authorization', { 0: 'standing', 1: 'per_claim' });
export const ReportKind = enumeration('ReportKind', {
  1: 'inpatient_discharge', 2: 'special_outpatient', 3: 'pharmacy_sale', 4: 'therapy_course',
});

export const Outcome = enumeration('Outcome', { 1: 'payable', 2: 'needs_paper', 3: 'needs_person' });
export const Withheld = enumeration('Withheld', { 0: 'none', 1: 'declared', 2: 'provisional' });
export const Countersigning = enumeration('Countersigning', { 0: 'countersigned', 1: 'uncountersigned' });
export const PayeeKind = enumeration('PayeeKind', { 1: 'person', 2: 'institution' });

export const SubjectId = struct('SubjectId', [
  ['audience', fixed(32)],
  ['value', fixed(32)],
]);

export const Basis = struct('Basis', [
  ['kind', BasisKind],
  ['id', fixed(32)],
]);

export const Originator = struct('Originator', [
  ['institution', fixed(32)],
  ['member', fixed(32)],
  ['signed_by', SignedBy],
]);

export const Journal = struct('Journal', [
  ['count', u32],
  ['head', fixed(32)],
]);

export const RecordRef = struct('RecordRef', [
  ['record', fixed(32)],
  ['version', u32],
]);

export const ConsentException = struct('ConsentException', [
  ['custodian', option(fixed(32))],
  ['record_class', option(RecordClass)],
  ['purpose', option(Purpose)],
]);

export const ConsentTerms = struct('ConsentTerms', [
  ['id', fixed(32)],
  ['subject', SubjectId],
  ['giver', Giver],
  ['grantee', fixed(32)],
  ['purposes', list(Purpose, 1, 8, ASCENDING)],
  ['classes', list(RecordClass, 1, 5, ASCENDING)],
  ['level_ceiling', Level],
  ['from', u64],
  ['to', u64],
  ['text_version', u16],
  ['evidence', fixed(32)],
  ['encounter', option(fixed(32))],
  ['automatic', Automatic],
  ['exceptions', list(ConsentException, 0, 8, ASCENDING)],
]);

export const ConsentReference = struct('ConsentReference', [
  ['id', fixed(32)],
  ['hash', fixed(32)],
]);

export const EnrolLine = struct('EnrolLine', [
  ['subject', SubjectId],
  ['premium_class', u8],
  ['from_day', u32],
  ['to_day', u32],
  ['premium_source', PremiumSource],
  ['evidence', fixed(32)],
  ['consent_to', u64],
]);

export const PayloadRef = struct('PayloadRef', [
  ['record', fixed(32)],
  ['version', u32],
  ['level', Level],
  ['commitment', fixed(32)],
]);

export const InvoiceLine = struct('InvoiceLine', [
  ['tag', fixed(32)],
  ['balance', fixed(32)],
]);

export const Filing = struct('Filing', [
  ['subject', SubjectId],
  ['consent', fixed(32)],
]);

export const RecordList = struct('RecordList', [
  ['version', version(1)],
  ['records', list(RecordRef, 0, 64, ASCENDING)],
]);

export const Disclosure = struct('Disclosure', [
  ['care_subject', SubjectId],
  ['records', list(RecordRef, 0, 64, ASCENDING)],
  ['list_salt', fixed(32)],
  ['day_tags', list(fixed(32), 4, 64, ASCENDING)],
]);

export const ConsentGive = struct('ConsentGive', [
  ['version', version(1)],
  ['terms', ConsentTerms],
]);

export const ConsentConfirm = struct('ConsentConfirm', [
  ['version', version(1)],
  ['consents', list(ConsentReference, 1, 1000, ASCENDING)],
]);

export const ConsentRevoke = struct('ConsentRevoke', [
  ['version', version(1)],
  ['consent', fixed(32)],
  ['evidence', fixed(32)],
]);

export const ConsentRegisterKey = struct('ConsentRegisterKey', [
  ['version', version(1)],
  ['subject', SubjectId],
  ['key', option(fixed(33))],
  ['evidence', fixed(32)],
]);

export const RecordsRegister = struct('RecordsRegister', [
  ['version', version(1)],
  ['record', RecordRef],
  ['subject', SubjectId],
  ['record_class', RecordClass],
  ['level', Level],
  ['commitment', fixed(32)],
  ['vault', fixed(32)],
  ['journal', Journal],
]);

export const RecordsRead = struct('RecordsRead', [
  ['version', version(1)],
  ['record', RecordRef],
  ['purpose', Purpose],
  ['basis', Basis],
  ['mode', Mode],
  ['trigger', Trigger],
  ['originator', Originator],
  ['vault', fixed(32)],
  ['journal', Journal],
]);

export const RecordsRequest = struct('RecordsRequest', [
  ['version', version(1)],
  ['record', RecordRef],
  ['purpose', Purpose],
  ['basis', Basis],
  ['mode', Mode],
  ['trigger', Trigger],
  ['recipient', fixed(32)],
  ['originator', Originator],
  ['via', list(fixed(32), 0, 4)],
  ['journal', Journal],
]);

export const RecordsRelease = struct('RecordsRelease', [
  ['version', version(1)],
  ['grant', fixed(32)],
  ['commitment', fixed(32)],
  ['wrap_hash', fixed(32)],
  ['ciphertext_hash', fixed(32)],
  ['vault', fixed(32)],
  ['journal', Journal],
]);

export const RecordsReceive = struct('RecordsReceive', [
  ['version', version(1)],
  ['grant', fixed(32)],
  ['commitment', fixed(32)],
  ['result', ReceiveResult],
  ['vault', fixed(32)],
  ['journal', Journal],
]);

export const ProductRegister = struct('ProductRegister', [
  ['version', version(1)],
  ['product', fixed(32)],
  ['product_version', u32],
  ['insurer', fixed(32)],
  ['content', fixed(32)],
  ['cover_basis', CoverBasis],
  ['authorization', Authorization],
  ['payer_rank', u16],
  ['premium_sources', list(PremiumSource, 1, 3, ASCENDING)],
  ['from_day', u32],
  ['to_day', u32],
]);

export const PoliciesEnrol = struct('PoliciesEnrol', [
  ['version', version(1)],
  ['product', fixed(32)],
  ['product_version', u32],
  ['purposes', list(Purpose, 1, 8, ASCENDING)],
  ['classes', list(RecordClass, 1, 5, ASCENDING)],
  ['level_ceiling', Level],
  ['automatic', Automatic],
  ['text_version', u16],
  ['lines', list(EnrolLine, 1, 1000)],
]);

export const ClaimsReport = struct('ClaimsReport', [
  ['version', version(1)],
  ['kind', ReportKind],
  ['encounter', fixed(32)],
  ['payload', PayloadRef],
  ['invoices', list(InvoiceLine, 1, 64, ASCENDING)],
  ['first_month', u16],
  ['last_month', u16],
  ['subject_commitment', fixed(32)],
  ['record_list', fixed(32)],
  ['filings', list(Filing, 0, 32, ASCENDING)],
  ['disclosure', option(Disclosure)],
  ['vault', fixed(32)],
  ['journal', Journal],
]);

export const ClaimsFile = struct('ClaimsFile', [
  ['version', version(1)],
  ['encounter', fixed(32)],
  ['filing', Filing],
  ['disclosure', Disclosure],
]);

export const PayoutLine = struct('PayoutLine', [
  ['invoice', option(fixed(32))],
  ['payout', fixed(32)],
  ['balance_before', fixed(32)],
]);

export const AccumulatorLine = struct('AccumulatorLine', [
  ['id', u16],
  ['before', fixed(32)],
  ['after', fixed(32)],
]);

export const AccumulatorAmount = struct('AccumulatorAmount', [
  ['version', version(1)],
  ['policy', fixed(32)],
  ['id', u16],
  ['amount', u64],
]);

export const ClaimsDecide = struct('ClaimsDecide', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['number', u16],
  ['payload_version', u32],
  ['outcome', Outcome],
  ['product_version', u32],
  ['map', fixed(32)],
  ['rule_set', u16],
  ['engine', u16],
  ['lines', list(PayoutLine, 0, 64, ASCENDING)],
  ['total_before', fixed(32)],
  ['accumulators', list(AccumulatorLine, 0, 16, ASCENDING)],
  ['withheld', Withheld],
  ['decision', fixed(32)],
  ['escrow', fixed(32)],
  ['countersigning', Countersigning],
]);

export const ClaimsSupplement = struct('ClaimsSupplement', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['records', list(RecordRef, 1, 16, ASCENDING)],
  ['note', fixed(32)],
]);

export const ClaimsPay = struct('ClaimsPay', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['number', u16],
  ['payee_kind', PayeeKind],
  ['reference', fixed(32)],
  ['payee', option(fixed(32))],
]);

export const ClaimsWithdraw = struct('ClaimsWithdraw', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['evidence', fixed(32)],
]);

export const ClaimsRequestReview = struct('ClaimsRequestReview', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['evidence', fixed(32)],
]);

export const ClaimsLateCountersign = struct('ClaimsLateCountersign', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['number', u16],
]);

export const ClaimsExplained = struct('ClaimsExplained', [
  ['version', version(1)],
  ['claim', fixed(32)],
  ['number', u16],
  ['explanation', fixed(32)],
]);

export const CatalogPublish = struct('CatalogPublish', [
  ['version', version(1)],
  ['catalog', fixed(32)],
  ['catalog_version', u32],
  ['content', fixed(32)],
]);

export const SystemSweep = struct('SystemSweep', [
  ['version', version(1)],
  ['up_to', u64],
  ['count_max', u16],
]);

// "Kinds, version 1" of section 11: [kind, name, type of the content]; reserved kinds have a name, but no content.
const TABLE = [
  [10, 'membership.propose', null],
  [11, 'membership.approve', null],
  [12, 'membership.reject', null],
  [13, 'membership.enrol_member', null],
  [14, 'membership.suspend_member', null],
  [15, 'membership.rotate_key', null],
  [101, 'consent.give', ConsentGive],
  [102, 'consent.confirm', ConsentConfirm],
  [103, 'consent.revoke', ConsentRevoke],
  [104, 'consent.register_key', ConsentRegisterKey],
  [201, 'records.register', RecordsRegister],
  [202, 'records.read', RecordsRead],
  [203, 'records.request', RecordsRequest],
  [204, 'records.release', RecordsRelease],
  [205, 'records.receive', RecordsReceive],
  [206, 'records.list', null],
  [207, 'records.export', null],
  [208, 'records.break_glass', null],
  [209, 'records.report', null],
  [210, 'records.restrict', null],
  [211, 'records.erase', null],
  [212, 'records.erase_receipt', null],
  [213, 'records.journal', null],
  [214, 'records.review', null],
  [301, 'product.register', ProductRegister],
  [311, 'policies.enrol', PoliciesEnrol],
  [312, 'policies.lapse', null],
  [313, 'policies.refund', null],
  [314, 'policies.endorse', null],
  [315, 'policies.rebase', null],
  [321, 'catalog.publish', CatalogPublish],
  [401, 'claims.report', ClaimsReport],
  [402, 'claims.file', ClaimsFile],
  [403, 'claims.decide', ClaimsDecide],
  [404, 'claims.supplement', ClaimsSupplement],
  [405, 'claims.pay', ClaimsPay],
  [406, 'claims.withdraw', ClaimsWithdraw],
  [407, 'claims.request_review', ClaimsRequestReview],
  [408, 'claims.undo', null],
  [409, 'claims.reverse_invoice', null],
  [410, 'claims.amend_discharge', null],
  [411, 'claims.late_countersign', ClaimsLateCountersign],
  [412, 'claims.challenge', null],
  [413, 'claims.answer', null],
  [414, 'claims.explained', ClaimsExplained],
  [901, 'system.sweep', SystemSweep],
];

export const OPERATION_KINDS = new Map(TABLE.map(([kind, name, content]) => [kind, { name, content }]));
