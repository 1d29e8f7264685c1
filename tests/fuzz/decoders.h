/// The types of the table-driven targets, in the order of their first bytes. Corpora depend on the
/// order: new types go to the end.
#pragma once

#include "consensus/batch.h"
#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/records.h"
#include "consensus/raft/messages.h"
#include "fuzz/type_table.h"
#include "ledger/archive.h"
#include "ledger/evidence_file.h"
#include "ledger/genesis.h"
#include "ledger/header.h"
#include "ledger/index_format.h"
#include "ledger/index_rows.h"
#include "ledger/operation_index.h"
#include "ledger/transaction.h"
#include "net/hello.h"
#include "node/claims/claim_messages.h"
#include "node/institution_messages.h"
#include "node/log_store.h"
#include "node/pool_messages.h"
#include "node/snapshot_messages.h"
#include "node/transaction_messages.h"

namespace baolian::fuzz {

using ConsensusMessages =
    TypeTable<consensus::Envelope, consensus::pbft::PrePrepare, crypto::Vote, crypto::ExecVote,
              consensus::pbft::Suspect, consensus::pbft::ViewChange, consensus::pbft::NewView,
              consensus::StatusBody, consensus::Fetch, consensus::Reply, consensus::Batch,
              consensus::SyncBlock, consensus::pbft::Proposals, crypto::VoteCertificate,
              crypto::ExecCertificate, crypto::EpochRecord, consensus::raft::RequestVote,
              consensus::raft::VoteReply, consensus::raft::AppendEntries,
              consensus::raft::AppendReply, consensus::raft::TimeoutNow>;

using LogRecords =
    TypeTable<consensus::pbft::PpAccept, consensus::pbft::Prepared, consensus::pbft::Committed,
              consensus::ExecSent, consensus::ExecCert, consensus::pbft::ViewEnter,
              consensus::pbft::ViewChangeSent, consensus::Snapshot, consensus::EpochStart,
              node::BootRecord, consensus::SyncBlock, consensus::Evidence, consensus::Stopped,
              consensus::raft::TermRecord, consensus::raft::Entry>;

using NodeMessages =
    TypeTable<net::SignedHello, node::PushTransactions, node::FetchTransactions,
              node::ReplyTransactions, node::DeliveryPart, node::AttestRequest, node::AttestReply,
              node::CountersignRequest, node::CountersignReply, node::BalanceRequest,
              node::BalanceReply, node::ContentRequest, node::ContentReply, node::SnapshotOffer,
              node::SnapshotQuery, node::FetchChunk, node::ChunkPart, node::SignedTransactions,
              node::TransactionOutcomes>;

using LedgerObjects = TypeTable<ledger::Transaction, ledger::Header, ledger::Genesis,
                                ledger::Evidence, ledger::Receipt, ledger::OperationRow,
                                ledger::IndexMark, ledger::ArchiveHead, ledger::ArchivedFrame,
                                ledger::ArchiveCertificate, ledger::LogRun, ledger::OperationPage>;

}  // namespace baolian::fuzz
