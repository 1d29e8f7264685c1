/// Every table of docs/formats.md, from the declarations in the code.
#include "consensus/engine.h"
#include "consensus/pbft/messages.h"
#include "consensus/pbft/records.h"
#include "consensus/raft/messages.h"
#include "core/codec_table.h"
#include "ledger/archive.h"
#include "ledger/chain_state.h"
#include "ledger/evidence_file.h"
#include "ledger/evidence_texts.h"
#include "ledger/formats_doc.h"
#include "ledger/genesis.h"
#include "ledger/index_format.h"
#include "ledger/index_rows.h"
#include "ledger/snapshot_files.h"
#include "ledger/state_chunk.h"
#include "net/hello.h"
#include "node/snapshot_messages.h"

namespace baolian::ledger::test {
namespace {

using Tables = std::map<std::string, std::string>;

template <typename... T>
void add(Tables& tables) {
  ((tables[std::string(T::kTypeName)] = format_table<T>()), ...);
}

template <typename E>
std::string enum_table() {
  std::string out = "| number | name |\n|---|---|\n";
  constexpr auto names = enum_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) continue;
    out += "| " + std::to_string(i) + " | " + std::string(names[i]) + " |\n";
  }
  return out;
}

std::string texts_table(std::uint16_t texts) {
  std::string out = "| text | where | English | Chinese |\n|---|---|---|---|\n";
  for (const TextTemplate& t : text_templates(texts)) {
    out += "| " + std::to_string(t.number) + " | " + std::string(t.when) + " | `" +
           std::string(t.en) + "` | `" + std::string(t.zh) + "` |\n";
  }
  return out;
}

std::string names_table(std::uint16_t texts) {
  std::string out = "| name | English | Chinese |\n|---|---|---|\n";
  for (const NameText& n : name_texts(texts)) {
    out += "| `" + std::string(n.name) + "` | `" + std::string(n.en) + "` | `" + std::string(n.zh) +
           "` |\n";
  }
  return out;
}

}  // namespace

std::map<std::string, std::string> format_tables() {
  Tables tables;
  add<Genesis, Institution, Member, Node, KeyCheck>(tables);
  add<crypto::EpochRecord, crypto::Parameter, crypto::ExecCertificate, crypto::ExecVote,
      crypto::IndexedSignature, crypto::Vote, crypto::VoteCertificate>(tables);
  add<Transaction, TransactionBody, Operation, Cosignature, CosignBody, Receipt, Event,
      OperationLeaf>(tables);
  add<Header, Frontier, StateProof, StateProof::OtherLeaf, LogId, LogEntry, LogWindowProof>(tables);
  add<Evidence, LogWindowQuestion, LogWindowProofs, OperationQuestion, OperationProofs, PathStep,
      StateQuestion, StateProofs, TrailLink, FactGroup, Fact, Sentence>(tables);
  add<ArchiveHead, ArchivedFrame, ArchiveCertificate>(tables);
  add<StoredBlock, TransactionRow, HeightRow, PositionedEntry, LogRun, RunItem, OperationPage,
      OperationRow, EventMark, IndexMark, StateChunk, StateRow>(tables);
  add<SnapshotHead, SnapshotIndex>(tables);
  add<node::SnapshotOffer, node::SnapshotQuery, node::FetchChunk, node::ChunkPart>(tables);
  add<consensus::Envelope, consensus::Batch, consensus::SyncBlock, consensus::EpochStart>(tables);
  {
    using namespace consensus;
    using namespace consensus::pbft;
    add<PrePrepare, Suspect, ViewChange, ViewChangeReference, Proposals, NewView, StatusBody, Fetch,
        FetchBlocks, FetchBodies, FetchBatch, FetchViewChange, Reply, ReplyBlocks, ReplyBodies,
        ReplyCertificate, ReplyCommit, ReplyPrePrepare, ReplyBatch, ReplyViewChange, ReplyNewView>(
        tables);
    add<PpAccept, Prepared, Committed, ExecSent, ExecCert, ViewEnter, ViewChangeSent, Stopped,
        SnapshotEntry, Snapshot>(tables);
    add<consensus::Evidence>(tables);
    add<raft::Entry, raft::RequestVote, raft::VoteReply, raft::AppendEntries, raft::AppendReply,
        raft::TimeoutNow, raft::TermRecord>(tables);
  }
  add<net::SignedHello, net::Hello, net::VotePosition>(tables);
  tables["ObjectType"] = enum_table<crypto::ObjectType>();
  tables["texts 1"] = texts_table(1);
  tables["names 1"] = names_table(1);
  return tables;
}

}  // namespace baolian::ledger::test
