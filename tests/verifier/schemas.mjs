// The tables of sections 4 to 11: names, order, types and limits of the fields, as in formats.md.

import { ASCENDING, bool, bytes, enumeration, fixed, i16, list, option, struct, text, u16, u32, u64, u8, version } from './codec.mjs';

export const InstitutionKind = enumeration('InstitutionKind', {
  1: 'hospital', 2: 'insurer', 3: 'pharmacy', 4: 'medical_insurance',
  5: 'regulator', 6: 'operator',
});
export const MemberKind = enumeration('MemberKind', { 0: 'person', 1: 'system' });
export const Role = enumeration('Role', {
  1: 'system_admin', 2: 'security_admin', 3: 'audit_admin', 4: 'clinician',
  5: 'claims_adjuster', 6: 'compliance', 7: 'gateway', 8: 'auditor',
  9: 'data_officer', 10: 'lawful_access', 11: 'agent', 12: 'attestor',
  13: 'vault', 14: 'escrow_reader',
});
export const ConsensusKind = enumeration('ConsensusKind', { 1: 'pbft', 2: 'raft' });
export const Capacity = enumeration('Capacity', {
  0: 'originator', 1: 'attestor', 2: 'countersigner', 3: 'second_approver', 4: 'person',
});
export const Status = enumeration('Status', { 0: 'applied', 1: 'rejected', 2: 'transaction_rejected' });
export const Side = enumeration('Side', { 0: 'left', 1: 'right' });
export const Label = enumeration('Label', { 1: 'enforced', 2: 'agreed', 3: 'stated', 4: 'recomputed' });
export const LogKind = enumeration('LogKind', {
  1: 'reads_of_record', 2: 'reads_of_subject', 3: 'reads_by_institution', 4: 'reads_at_institution',
  5: 'denials_of_subject', 6: 'denials_by_institution', 7: 'consents_of_subject', 8: 'claim',
  9: 'claims_of_insurer', 10: 'reports_of_institution', 11: 'payouts_of_insurer', 12: 'alarms',
});

export const Parameter = struct('Parameter', [
  ['id', u16],
  ['value', u64],
]);

export const EpochRecord = struct('EpochRecord', [
  ['version', version(1)],
  ['epoch', u64],
  ['first_height', u64],
  ['log_window', u16],
  ['in_flight_max', u16],
  ['protocol_version', u16],
  ['consensus_kind', ConsensusKind],
  ['parameters', list(Parameter, 0, 256, ASCENDING)],
  ['validators', list(fixed(33), 1, 127, ASCENDING)],
]);

export const KeyCheck = struct('KeyCheck', [
  ['audience', fixed(32)],
  ['check', fixed(32)],
]);

export const Member = struct('Member', [
  ['id', fixed(32)],
  ['kind', MemberKind],
  ['signing_key', fixed(33)],
  ['encryption_key', fixed(33)],
  ['roles', list(Role, 0, 16, ASCENDING)],
  ['valid_from', u64],
  ['valid_to', u64],
  ['software', text(0, 64)],
  ['responsible', fixed(32)],
]);

export const Node = struct('Node', [
  ['consensus_key', fixed(33)],
  ['tls_pin', fixed(32)],
  ['address', text(0, 255)],
  ['votes', bool],
]);

export const Institution = struct('Institution', [
  ['id', fixed(32)],
  ['name', text(1, 128)],
  ['kinds', list(InstitutionKind, 1, 6, ASCENDING)],
  ['region', text(0, 32)],
  ['members', list(Member, 0, 1000)],
  ['nodes', list(Node, 0, 16)],
]);

export const Genesis = struct('Genesis', [
  ['version', version(1)],
  ['name', text(1, 128)],
  ['created', u64],
  ['utc_offset_minutes', i16],
  ['currency', text(3, 3)],
  ['minor_digits', u8],
  ['hash_algorithm', u8],
  ['signature_algorithm', u8],
  ['epoch', EpochRecord],
  ['subject_id_scheme', u8],
  ['subject_key_checks', list(KeyCheck, 0, 1000, ASCENDING)],
  ['invoice_tag_check', fixed(32)],
  ['day_tag_check', fixed(32)],
  ['person_id_systems', list(text(0, 256), 0, 16)],
  ['attestor_kinds', list(InstitutionKind, 0, 6, ASCENDING)],
  ['second_generator', text(1, 128)],
  ['institutions', list(Institution, 1, 1000)],
]);

export const Cosignature = struct('Cosignature', [
  ['capacity', Capacity],
  ['key', fixed(33)],
  ['nonce', u64],
  ['not_after', u64],
  ['signature', fixed(64)],
]);

export const Operation = struct('Operation', [
  ['kind', u16],
  ['request_id', fixed(16)],
  ['content', bytes(0, 245760)],
  ['cosignatures', list(Cosignature, 0, 4)],
]);

export const TransactionBody = struct('TransactionBody', [
  ['version', version(1)],
  ['chain_id', fixed(32)],
  ['sender', fixed(33)],
  ['nonce', u64],
  ['expires_at', u64],
  ['operations', list(Operation, 1, 1000)],
]);

export const Transaction = struct('Transaction', [
  ['body', TransactionBody],
  ['signature', fixed(64)],
]);

export const CosignBody = struct('CosignBody', [
  ['capacity', Capacity],
  ['key', fixed(33)],
  ['sender_institution', fixed(32)],
  ['nonce', u64],
  ['not_after', u64],
  ['operation_hash', fixed(32)],
]);

export const Event = struct('Event', [
  ['kind', u16],
  ['body', bytes(0, 8192)],
]);

export const Receipt = struct('Receipt', [
  ['version', version(1)],
  ['status', Status],
  ['code', u16],
  ['events', list(Event, 0, 32)],
]);

export const OperationLeaf = struct('OperationLeaf', [
  ['tx_hash', fixed(32)],
  ['op_index', u16],
  ['sender', fixed(33)],
  ['operation', bytes(0, 262144)],
  ['receipt', bytes(0, 532480)],
]);

export const Header = struct('Header', [
  ['version', version(1)],
  ['chain_id', fixed(32)],
  ['epoch', u64],
  ['height', u64],
  ['parent_hash', fixed(32)],
  ['batch_digest', fixed(32)],
  ['timestamp', u64],
  ['operations_root', fixed(32)],
  ['state_root', fixed(32)],
  ['history_root', fixed(32)],
  ['validators_hash', fixed(32)],
  ['next_validators_hash', fixed(32)],
  ['epoch_last_height', u64],
  ['consensus_kind', ConsensusKind],
]);

export const ExecVote = struct('ExecVote', [
  ['height', u64],
  ['header_hash', fixed(32)],
]);

export const IndexedSignature = struct('IndexedSignature', [
  ['validator', u16],
  ['signature', fixed(64)],
], 'validator'); // section 1: lists of these ascend by validator alone

export const ExecCertificate = struct('ExecCertificate', [
  ['epoch', u64],
  ['vote', ExecVote],
  ['signatures', list(IndexedSignature, 0, 127, ASCENDING)],
]);

export const Frontier = struct('Frontier', [
  ['count', u64],
  ['peaks', list(fixed(32), 0, 64)],
]);

export const OtherLeaf = struct('OtherLeaf', [
  ['key_hash', fixed(32)],
  ['value_hash', fixed(32)],
]);

export const StateProof = struct('StateProof', [
  ['siblings', list(fixed(32), 0, 256)],
  ['other_leaf', option(OtherLeaf)],
]);

export const LogId = struct('LogId', [
  ['kind', LogKind],
  ['id', fixed(32)],
]);

export const LogEntry = struct('LogEntry', [
  ['time', u64],
  ['height', u64],
  ['operation', u32],
  ['line', u16],
  ['leaf_hash', fixed(32)],
]);

export const LogWindowProof = struct('LogWindowProof', [
  ['frontier', Frontier],
  ['first_index', u64],
  ['entries', list(LogEntry, 0, 100002)],
  ['range', list(fixed(32), 0, 128)],
  ['state', StateProof],
]);

export const TrailLink = struct('TrailLink', [
  ['header', Header],
  ['certificate', ExecCertificate],
  ['next', EpochRecord],
]);

export const Fact = struct('Fact', [
  ['name', text(1, 64)],
  ['value', text(0, 2048)],
  ['label', Label],
  ['by', text(0, 512)],
]);

export const FactGroup = struct('FactGroup', [
  ['entry', option(u64)],
  ['leaf', u32],
  ['facts', list(Fact, 0, 20000)],
]);

export const Sentence = struct('Sentence', [
  ['text', u16],
  ['en', text(0, 16777216)],
  ['zh', text(0, 16777216)],
]);

export const Evidence = struct('Evidence', [
  ['texts', u16],
  ['chain_id', fixed(32)],
  ['header', Header],
  ['certified_header', option(Header)],
  ['history', list(fixed(32), 0, 64)],
  ['certificate', ExecCertificate],
  ['trail', list(TrailLink, 0, 4096)],
  ['facts', list(FactGroup, 0, 100000)],
  ['words', list(Sentence, 0, 100016)],
  ['limits', list(Sentence, 0, 64)],
]);

export const LogWindowQuestion = struct('LogWindowQuestion', [
  ['log', LogId],
  ['from', u64],
  ['to', u64],
]);

export const LogWindowProofs = struct('LogWindowProofs', [
  ['window', LogWindowProof],
  ['leaves', list(OperationLeaf, 0, 100000)],
]);

export const OperationQuestion = struct('OperationQuestion', [
  ['tx_hash', fixed(32)],
  ['op_index', u16],
]);

export const PathStep = struct('PathStep', [
  ['side', Side],
  ['hash', fixed(32)],
]);

export const OperationProofs = struct('OperationProofs', [
  ['leaf', OperationLeaf],
  ['path', list(PathStep, 0, 64)],
]);

export const StateQuestion = struct('StateQuestion', [
  ['key', bytes(1, 200)],
]);

export const StateProofs = struct('StateProofs', [
  ['value', option(bytes(0, 65536))],
  ['state', StateProof],
]);
