#include "ledger/genesis.h"

#include <algorithm>
#include <functional>

#include "crypto/hash.h"
#include "ledger/fixture.h"
#include "support/catch.h"

namespace baolian::ledger {
namespace {

struct Mistake {
  std::string name;
  std::function<void(Genesis&)> make;
  std::string said;  ///< part of the sentence that the user reads
};

Member& person(Genesis& g) { return g.institutions[0].members[0]; }
Member& system_of(Genesis& g) { return g.institutions[0].members[1]; }
Node& observer(Genesis& g) { return g.institutions[1].nodes[2]; }

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      {"no name", [](Genesis& g) { g.name.clear(); }, "name"},
      {"name not UTF-8", [](Genesis& g) { g.name = "\xff"; }, "UTF-8"},
      {"line break in the name", [](Genesis& g) { g.name += "\n"; }, "control character"},
      {"delete in a person system", [](Genesis& g) { g.person_id_systems[0] += "\x7f"; },
       "control character"},
      {"C1 control in a name", [](Genesis& g) { g.institutions[0].name += "\u0085"; },
       "control character"},
      {"line separator in a region", [](Genesis& g) { g.institutions[1].region = "\u2028"; },
       "control character"},
      {"direction override in the name", [](Genesis& g) { g.name += "\u202e"; }, "direction"},
      {"direction isolate in software", [](Genesis& g) { system_of(g).software += "\u2069"; },
       "direction"},
      {"control in an address", [](Genesis& g) { observer(g).address = "a\tb:1"; },
       "control character"},
      {"offset below", [](Genesis& g) { g.utc_offset_minutes = -721; }, "utc_offset_minutes"},
      {"created 0", [](Genesis& g) { g.created = {0}; }, "created"},
      {"created in another unit", [](Genesis& g) { g.created = {1'700'000'000'000'000}; },
       "created"},
      {"offset", [](Genesis& g) { g.utc_offset_minutes = 841; }, "utc_offset_minutes"},
      {"currency", [](Genesis& g) { g.currency = "cny"; }, "currency"},
      {"long currency", [](Genesis& g) { g.currency = "CNYX"; }, "currency"},
      {"digits", [](Genesis& g) { g.minor_digits = 5; }, "minor_digits"},
      {"hash", [](Genesis& g) { g.hash_algorithm = 2; }, "hash_algorithm"},
      {"signature", [](Genesis& g) { g.signature_algorithm = 2; }, "signature_algorithm"},
      {"scheme", [](Genesis& g) { g.subject_id_scheme = 1; }, "subject_id_scheme"},
      {"generator", [](Genesis& g) { g.second_generator = "mine"; }, "second_generator"},
      {"person system twice",
       [](Genesis& g) { g.person_id_systems.push_back(g.person_id_systems[0]); },
       "person_id_systems"},
      {"empty person system", [](Genesis& g) { g.person_id_systems.emplace_back(); },
       "person_id_systems"},
      {"attestor kinds out of order",
       [](Genesis& g) {
         g.attestor_kinds = {InstitutionKind::regulator, InstitutionKind::hospital};
       },
       "attestor_kinds"},
      {"epoch 1", [](Genesis& g) { g.epoch.epoch = {1}; }, "epoch 0"},
      {"first height", [](Genesis& g) { g.epoch.first_height = {0}; }, "height 1"},
      {"protocol", [](Genesis& g) { g.epoch.protocol_version = 2; }, "protocol_version"},
      {"unknown consensus",
       [](Genesis& g) { g.epoch.consensus_kind = static_cast<crypto::ConsensusKind>(3); },
       "consensus_kind"},
      {"no consensus",
       [](Genesis& g) { g.epoch.consensus_kind = static_cast<crypto::ConsensusKind>(0); },
       "consensus_kind"},
      {"no window", [](Genesis& g) { g.epoch.log_window = 0; }, "log_window"},
      {"in flight", [](Genesis& g) { g.epoch.in_flight_max = 17; }, "in_flight_max"},
      {"parameter twice",
       [](Genesis& g) {
         g.epoch.parameters = {{1, 1}, {1, 2}};
       },
       "parameter 1"},
      {"validator missing", [](Genesis& g) { g.epoch.validators.pop_back(); }, "validators"},
      {"validator not ascending",
       [](Genesis& g) { std::swap(g.epoch.validators[0], g.epoch.validators[1]); }, "validators"},
      {"observer votes", [](Genesis& g) { observer(g).votes = true; }, "validators"},
      {"nobody votes",
       [](Genesis& g) {
         for (Institution& i : g.institutions) i.nodes.clear();
       },
       "at least one node"},
      {"institution id twice", [](Genesis& g) { g.institutions[1].id = g.institutions[0].id; },
       "institution ids"},
      {"institution id zeros", [](Genesis& g) { g.institutions[0].id = {}; }, "institution ids"},
      {"institution without kind", [](Genesis& g) { g.institutions[0].kinds.clear(); }, "kinds"},
      {"unknown kind",
       [](Genesis& g) { g.institutions[0].kinds = {static_cast<InstitutionKind>(9)}; }, "kinds"},
      {"no institution", [](Genesis& g) { g.institutions.clear(); }, "institutions"},
      {"member id twice", [](Genesis& g) { g.institutions[1].members[0].id = person(g).id; },
       "member ids"},
      {"member id zeros", [](Genesis& g) { person(g).id = {}; }, "member ids"},
      {"member key twice",
       [](Genesis& g) { g.institutions[1].members[0].signing_key = person(g).signing_key; },
       "another member or node"},
      {"member has a consensus key",
       [](Genesis& g) { person(g).signing_key = observer(g).consensus_key; },
       "another member or node"},
      {"member key of another algorithm", [](Genesis& g) { person(g).signing_key.bytes[0] = 1; },
       "another algorithm"},
      {"node key of another algorithm", [](Genesis& g) { observer(g).consensus_key.bytes[0] = 1; },
       "another algorithm"},
      {"encryption key algorithm", [](Genesis& g) { person(g).encryption_key.bytes[0] = 1; },
       "X25519"},
      {"validity", [](Genesis& g) { person(g).valid_to = person(g).valid_from; }, "valid"},
      {"two administrations",
       [](Genesis& g) {
         person(g).roles = {Role::system_admin, Role::audit_admin};
       },
       "administration"},
      {"person with software", [](Genesis& g) { person(g).software = "x"; }, "software"},
      {"person with responsible", [](Genesis& g) { person(g).responsible = person(g).id; },
       "responsible"},
      {"system without software", [](Genesis& g) { system_of(g).software.clear(); }, "software"},
      {"system without responsible", [](Genesis& g) { system_of(g).responsible = {}; },
       "responsible"},
      {"system answers for itself", [](Genesis& g) { system_of(g).responsible = system_of(g).id; },
       "responsible"},
      {"responsible of another institution",
       [](Genesis& g) { system_of(g).responsible = g.institutions[1].members[0].id; },
       "responsible"},
      {"no pin", [](Genesis& g) { observer(g).tls_pin = {}; }, "TLS pin"},
      {"pin twice", [](Genesis& g) { observer(g).tls_pin = g.institutions[0].nodes[0].tls_pin; },
       "TLS pin"},
      {"validator without address", [](Genesis& g) { g.institutions[0].nodes[0].address.clear(); },
       "address"},
      {"address without port", [](Genesis& g) { observer(g).address = "host"; }, "address"},
      {"address with port 0", [](Genesis& g) { observer(g).address = "host:0"; }, "address"},
      {"address with port 65536", [](Genesis& g) { observer(g).address = "host:65536"; },
       "address"},
      {"address with a leading zero", [](Genesis& g) { observer(g).address = "host:07000"; },
       "address"},
      {"address without host", [](Genesis& g) { observer(g).address = ":7000"; }, "address"},
      {"no care key", [](Genesis& g) { g.subject_key_checks.erase(g.subject_key_checks.begin()); },
       "care"},
      {"insurer without key", [](Genesis& g) { g.subject_key_checks.pop_back(); }, "lacks insurer"},
      {"key check twice",
       [](Genesis& g) {
         g.subject_key_checks.push_back(
             {g.subject_key_checks.back().audience, test::numbered<Hash>(1000)});
         std::sort(g.subject_key_checks.begin(), g.subject_key_checks.end());
       },
       "twice"},
      {"key of nobody",
       [](Genesis& g) {
         g.subject_key_checks.push_back({test::numbered<InstitutionId>(999), Hash{}});
         std::sort(g.subject_key_checks.begin(), g.subject_key_checks.end());
       },
       "no institution"},
  };
  return all;
}

}  // namespace

TEST_CASE("genesis: a right one passes, encodes and has the hash of its bytes as chain id",
          "[genesis]") {
  const Genesis genesis = test::make_genesis();
  const auto checked = check_genesis(genesis);
  INFO((checked ? "" : checked.error().context));
  REQUIRE(checked.has_value());
  const Bytes canonical = encode(genesis);
  CHECK(decode<Genesis>(canonical).value() == genesis);
  CHECK(chain_id_of(genesis).hex() == crypto::sha256(canonical).hex());
  Genesis other = genesis;
  other.name += "x";
  CHECK(chain_id_of(other) != chain_id_of(genesis));
}

TEST_CASE("genesis: an observer may have no address", "[genesis]") {
  Genesis genesis = test::make_genesis();
  observer(genesis).address.clear();
  CHECK(check_genesis(genesis).has_value());
}

TEST_CASE("genesis: names of any language pass, up to the neighbours of what is refused",
          "[genesis]") {
  Genesis genesis = test::make_genesis();
  genesis.name = "宁波 \"链\" \u00a0\u2027\u202f\u2065\u206a";
  CHECK(check_genesis(genesis).has_value());
}

/// make_genesis() with `count` voting nodes of the first institutions, at most 16 each.
Genesis with_validators(std::size_t count) {
  Genesis genesis = test::make_genesis();
  const Node node = genesis.institutions[0].nodes[0];
  genesis.epoch.validators.clear();
  for (Institution& institution : genesis.institutions) institution.nodes.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (i / 16 >= genesis.institutions.size()) {
      genesis.institutions.push_back(genesis.institutions[0]);
      genesis.institutions.back().id = test::numbered<InstitutionId>(5000 + i);
      genesis.institutions.back().members.clear();
      genesis.institutions.back().nodes.clear();
    }
    Node one = node;
    one.consensus_key = crypto::make_toy_signer(6000 + i)->public_key();
    one.tls_pin = test::numbered<Hash>(6000 + i);
    genesis.institutions[i / 16].nodes.push_back(one);
    genesis.epoch.validators.push_back(one.consensus_key);
  }
  std::sort(genesis.epoch.validators.begin(), genesis.epoch.validators.end());
  return genesis;
}

TEST_CASE("genesis: 1 to 127 validators of either consensus, also two and three", "[genesis]") {
  for (const auto kind : {crypto::ConsensusKind::pbft, crypto::ConsensusKind::raft}) {
    for (const std::size_t count : {1U, 2U, 3U, 4U, 5U, 127U}) {
      CAPTURE(count);
      Genesis genesis = with_validators(count);
      genesis.epoch.consensus_kind = kind;
      const auto checked = check_genesis(genesis);
      CAPTURE((checked ? "" : checked.error().context));
      CHECK(checked.has_value());
    }
    Genesis genesis = with_validators(128);
    genesis.epoch.consensus_kind = kind;
    const auto checked = check_genesis(genesis);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().context.find("validators") != std::string::npos);
  }
}

TEST_CASE("genesis: every mistake is refused with a sentence that names it", "[genesis]") {
  for (const Mistake& mistake : mistakes()) {
    CAPTURE(mistake.name);
    Genesis genesis = test::make_genesis();
    mistake.make(genesis);
    const auto checked = check_genesis(genesis);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().code == Errc::genesis_invalid);
    CAPTURE(checked.error().context);
    CHECK(checked.error().context.find(mistake.said) != std::string::npos);
  }
}

}  // namespace baolian::ledger
