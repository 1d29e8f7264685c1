#include "sim/trace.h"

#include <bit>

#include "consensus/pbft/messages.h"
#include "core/codec.h"
#include "crypto/hash.h"
#include "node/pool_messages.h"
#include "sim/wire.h"

namespace baolian::sim {

namespace {

using consensus::MessageKind;
namespace pbft = consensus::pbft;

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string prefix(const Hash& hash) { return hash.hex().substr(0, 8); }

std::string describe_pool(std::uint8_t first) {
  if (first == node::kPushTransactions) return "PUSH_TX";
  if (first == node::kFetchTransactions) return "FETCH_TX";
  if (first == node::kReplyTransactions) return "TX_REPLY";
  return "noise";
}

std::string describe_suspect(BytesView body) {
  const auto suspect = decode<pbft::Suspect>(body);
  if (!suspect) return "SUSPECT (malformed)";
  return "SUSPECT v" + number(suspect->view.value) + " " + std::string(enum_name(suspect->reason));
}

std::string describe_view_change(BytesView body) {
  const auto change = decode<pbft::ViewChange>(body);
  if (!change) return "VIEW-CHANGE (malformed)";
  std::string out = "VIEW-CHANGE v" + number(change->new_view.value) + " h" +
                    number(change->certified.value) + " P{";
  for (const auto& entry : change->prepared) {
    out += " " + number(entry.vote.height.value) + "@v" + number(entry.vote.view.value) + ":" +
           prefix(entry.vote.digest);
  }
  return out + " }";
}

std::string describe_new_view(BytesView body) {
  const auto view = decode<pbft::NewView>(body);
  if (!view) return "NEW-VIEW (malformed)";
  std::string out = "NEW-VIEW v" + number(view->view.value) + " of";
  for (const auto& reference : view->view_changes) out += " " + number(reference.sender);
  return out + " O " + prefix(view->proposals_hash);
}

std::string describe_status(BytesView body) {
  const auto status = decode<consensus::StatusBody>(body);
  if (!status) return "STATUS (malformed)";
  return "STATUS v" + number(status->view.value) + (status->active ? "" : " inactive") +
         (status->view_change.value > 0 ? " vc" + number(status->view_change.value) : "") + " h" +
         number(status->certified.value) + " exec" + number(status->executed.value);
}

std::string describe_fetch(BytesView body) {
  const auto fetch = decode<consensus::Fetch>(body);
  if (!fetch) return "FETCH (malformed)";
  constexpr std::array<std::string_view, 4> kWhat = {"blocks", "bodies", "batch", "view change"};
  return "FETCH " + std::string(kWhat.at(fetch->what.index()));
}

std::string describe_reply(BytesView body) {
  const auto reply = decode<consensus::Reply>(body);
  if (!reply) return "REPLY (malformed)";
  constexpr std::array<std::string_view, 8> kWhat = {"blocks",      "bodies",      "certificate",
                                                     "commit",      "pre-prepare", "batch",
                                                     "view change", "new view"};
  std::string out = "REPLY " + std::string(kWhat.at(reply->what.index()));
  if (const auto* commit = std::get_if<consensus::ReplyCommit>(&reply->what)) {
    out += " h" + number(commit->certificate.vote.height.value);
  } else if (const auto* certificate = std::get_if<consensus::ReplyCertificate>(&reply->what)) {
    out += " h" + number(certificate->certificate.vote.height.value);
  } else if (const auto* blocks = std::get_if<consensus::ReplyBlocks>(&reply->what)) {
    out += " x" + number(blocks->blocks.size());
  } else if (const auto* proposal = std::get_if<consensus::ReplyPrePrepare>(&reply->what)) {
    out += " (" + describe_message(proposal->envelope) + ")";
  } else if (const auto* change = std::get_if<consensus::ReplyViewChange>(&reply->what)) {
    out += " (" + describe_message(change->envelope) + ")";
  } else if (const auto* view = std::get_if<consensus::ReplyNewView>(&reply->what)) {
    out += " (" + describe_message(view->envelope) + ")";
  }
  return out;
}

std::string describe_vote(const MessageView& message) {
  const auto vote = peek_vote(message);
  std::string name;
  for (const char c : enum_name(message.kind)) {
    name += c == '_' ? '-' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  if (!vote) return name + " (malformed)";
  const std::string view = message.kind == MessageKind::exec ? "" : " v" + number(vote->view.value);
  return name + view + " h" + number(vote->height.value) + " " + prefix(vote->digest);
}

std::string node_name(std::uint16_t id) { return "n" + number(id); }

}  // namespace

std::string describe_message(BytesView bytes) {
  if (bytes.empty()) return "empty";
  const auto message = peek(bytes);
  if (!message) return describe_pool(bytes.front());
  switch (message->kind) {
    case MessageKind::pre_prepare:
    case MessageKind::prepare:
    case MessageKind::commit:
    case MessageKind::exec:
      return describe_vote(*message);
    case MessageKind::suspect:
      return describe_suspect(message->body);
    case MessageKind::view_change:
      return describe_view_change(message->body);
    case MessageKind::new_view:
      return describe_new_view(message->body);
    case MessageKind::status:
      return describe_status(message->body);
    case MessageKind::fetch:
      return describe_fetch(message->body);
    case MessageKind::reply:
      return describe_reply(message->body);
    case MessageKind::request_vote:
    case MessageKind::vote_reply:
    case MessageKind::append_entries:
    case MessageKind::append_reply:
    case MessageKind::timeout_now:
      return std::string(enum_name(message->kind));
  }
  return "unknown";
}

Trace::Trace(const EventQueue& events, TraceOptions options)
    : events_(events), options_(std::move(options)) {
  if (options_.form == TraceForm::mermaid) write_line("sequenceDiagram");
}

/// One round of a multiply-and-rotate mixer over two lanes.
void Trace::mix(std::uint64_t word) {
  low_ = std::rotl((low_ ^ word) * 0xFF51AFD7ED558CCDULL, 31) + high_;
  high_ = std::rotl((high_ + word) * 0xC4CEB9FE1A85EC53ULL, 29) ^ low_;
}

bool Trace::is_written() const {
  const std::uint64_t now = events_.now().value;
  return options_.form != TraceForm::none && now >= options_.from_ms && now <= options_.to_ms;
}

void Trace::sent(EndpointId from, std::optional<std::uint16_t> to, BytesView bytes) {
  mix(events_.now().value << 16 | from);
  mix(std::uint64_t{crypto::crc32c(bytes)} << 17 | (to ? *to + 1U : 0U));
  if (!is_written() || options_.form != TraceForm::text) return;
  write_line(number(events_.now().value) + " ms  " + node_name(from) + " sends " +
             (to ? node_name(*to) : "all") + "  " + describe_message(bytes));
}

void Trace::delivered(EndpointId from, EndpointId to, BytesView bytes) {
  mix(events_.now().value << 16 | to);
  mix(std::uint64_t{crypto::crc32c(bytes)} << 17 | 1U << 16 | from);
  if (!is_written()) return;
  if (options_.form == TraceForm::mermaid) {
    const std::string text = describe_message(bytes);
    if (text.starts_with("STATUS")) return;  // heartbeats would bury everything else
    return write_line("  " + node_name(from) + "->>" + node_name(to) + ": " + text);
  }
  write_line(number(events_.now().value) + " ms  " + node_name(to) + " from " + node_name(from) +
             "  " + describe_message(bytes));
}

void Trace::event(std::uint16_t whose, std::string_view what, BytesView bytes) {
  mix(events_.now().value << 16 | whose);
  mix(std::uint64_t{crypto::crc32c(as_bytes(what))} << 32 | crypto::crc32c(bytes));
  if (is_written()) note(whose, std::string(what));
}

void Trace::note(std::uint16_t whose, const std::string& text) {
  if (!is_written()) return;
  if (options_.form == TraceForm::mermaid) {
    return write_line("  Note over " + node_name(whose) + ": " + text + " (" +
                      number(events_.now().value) + " ms)");
  }
  write_line(number(events_.now().value) + " ms  " + node_name(whose) + "  " + text);
}

Hash Trace::finish() const {
  Bytes words;
  Encoder encoder(words);
  encoder.integer(low_);
  encoder.integer(high_);
  return crypto::sha256(words);
}

}  // namespace baolian::sim
