/// verify_envelope(): what may reach an engine at all (consensus.md 1.4, 1.12).
#include "consensus/bench.h"

namespace baolian::consensus::testing {
namespace {

Result<Verified> verify(ReplicaId from, const SharedBytes& bytes,
                        const crypto::EpochRecord& epoch = test_epoch(4)) {
  return verify_envelope(from, bytes, test_chain(), epoch, crypto::toy_verifier());
}

Errc error_of(const Result<Verified>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().code;
}

SharedBytes vote_message(ValidatorIndex sender, std::uint64_t view = 0) {
  return signed_message(test_epoch(4), MessageKind::prepare, sender,
                        encode(crypto::Vote{{view}, {1}, {}}));
}

SharedBytes changed(const SharedBytes& bytes, std::size_t at) {
  Bytes out = *bytes;
  out.at(at) ^= 1;
  return std::make_shared<const Bytes>(std::move(out));
}

}  // namespace

TEST_CASE("consensus 1.4: a message is verified for its signer only", "[envelope]") {
  const auto good = verify(2, vote_message(2));
  REQUIRE(good.has_value());
  CHECK(good->from() == 2);
  CHECK(good->envelope().sender == 2);
  // Another peer passes it on: direct messages come from their signer.
  CHECK(error_of(verify(1, vote_message(2))) == Errc::bad_message);
  CHECK(error_of(verify(7, vote_message(2))) == Errc::bad_message);
}

TEST_CASE("consensus 1.4: every changed bit of a vote is found", "[envelope]") {
  const SharedBytes good = vote_message(2);
  REQUIRE(good->size() == 128);
  for (std::size_t at = 0; at < good->size(); ++at) {
    CAPTURE(at);
    CHECK_FALSE(verify(2, changed(good, at)).has_value());
  }
}

TEST_CASE("consensus 1.4: a signature holds for one chain, one epoch and one type", "[envelope]") {
  const SharedBytes good = vote_message(2);
  ChainId other = test_chain();
  other.bytes[0] ^= 1;
  CHECK_FALSE(verify_envelope(2, good, other, test_epoch(4), crypto::toy_verifier()).has_value());
  crypto::EpochRecord next = test_epoch(4);
  next.epoch = {1};
  CHECK(error_of(verify(2, good, next)) == Errc::wrong_epoch);
  // The same body and signature as COMMIT.
  Envelope envelope = *decode<Envelope>(*good);
  envelope.kind = MessageKind::commit;
  CHECK(error_of(verify(2, std::make_shared<const Bytes>(encode(envelope)))) ==
        Errc::bad_signature);
}

TEST_CASE("consensus 1.12: length and role are checked before the signature", "[envelope]") {
  const auto epoch = test_epoch(4);
  Bytes long_vote = encode(crypto::Vote{});
  long_vote.push_back(0);
  CHECK(error_of(verify(2, signed_message(epoch, MessageKind::commit, 2, long_vote))) ==
        Errc::bad_message);
  CHECK(error_of(verify(2, signed_message(epoch, MessageKind::exec, 2, {}))) == Errc::bad_message);
  Envelope envelope;
  envelope.kind = MessageKind::prepare;
  envelope.sender = kObserver;
  envelope.body = encode(crypto::Vote{});
  const auto as_observer = std::make_shared<const Bytes>(encode(envelope));
  CHECK(error_of(verify(5, as_observer)) == Errc::bad_message);
  CHECK(error_of(verify(1, as_observer)) == Errc::bad_message);
  envelope.sender = 4;  // no such validator
  CHECK(error_of(verify(4, std::make_shared<const Bytes>(encode(envelope)))) == Errc::bad_message);
  const Bytes fetch = encode(consensus::Fetch{1, consensus::FetchBlocks{{1}}});
  CHECK(verify(5, unsigned_message(epoch, MessageKind::fetch, kObserver, fetch)).has_value());
  CHECK(error_of(verify(2, unsigned_message(epoch, MessageKind::fetch, kObserver, fetch))) ==
        Errc::bad_message);
  CHECK(error_of(verify(2, signed_message(epoch, MessageKind::fetch, 2, fetch))) ==
        Errc::not_canonical);
}

TEST_CASE("consensus: truncated and padded envelopes are no messages", "[envelope]") {
  const SharedBytes good = vote_message(1);
  for (std::size_t size = 0; size < good->size(); ++size) {
    const Bytes part(good->begin(), good->begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(verify(1, std::make_shared<const Bytes>(part)).has_value());
  }
  Bytes padded = *good;
  padded.push_back(0);
  CHECK(error_of(verify(1, std::make_shared<const Bytes>(padded))) == Errc::trailing_bytes);
}

TEST_CASE("pbft 1.4: the signature of a PRE-PREPARE covers view, height and digest", "[envelope]") {
  Bench bench;
  const auto proposal = bench.proposal(1);
  const SharedBytes message =
      pre_prepare_message(bench.epoch(), 0, proposal.vote, proposal.batch, {*proposal.bodies[0]});
  REQUIRE(verify(0, message).has_value());
  Envelope envelope = *decode<Envelope>(*message);
  for (std::size_t at = 0; at < consensus::kVoteBytes; ++at) {
    Envelope other = envelope;
    other.body[at] ^= 1;
    CHECK(error_of(verify(0, std::make_shared<const Bytes>(encode(other)))) == Errc::bad_signature);
  }
}

}  // namespace baolian::consensus::testing
