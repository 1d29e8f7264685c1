#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/person_key.h"
#include "gateway/table.h"

namespace baolian::cli {
namespace {

using nlohmann::json;

/// A person's key in a file, if the person signs for himself.
struct KeyOptions {
  std::string file;
  std::string passphrase_file;

  void add_to(CLI::App& command, const char* name) {
    auto* key = command.add_option(name, file, "the person's own key: he signs for himself");
    auto* secret = command.add_option("--key-passphrase-file", passphrase_file,
                                      "file with the passphrase of the key");
    key->needs(secret);
  }
};

/// Sends the body, cosigned by the person's key if one is given.
Result<json> send(Context& context, const std::string& target, json body, const KeyOptions& key) {
  TRY(ApiClient client, context.connect());
  if (key.file.empty()) return client.request_json("POST", target, body);
  TRY(const PersonKey person, PersonKey::load(key.file, key.passphrase_file));
  TRY(const Profile profile, context.profile());
  body["person_signs"] = true;
  TRY(const json prepared, client.request_json("POST", target, body));
  return person.sign_and_send(client, profile, body, prepared);
}

struct GiveOptions {
  std::string person;
  std::string grantee;
  std::vector<std::string> purposes = {"HPAYMT"};
  std::vector<std::string> classes = {"bill", "clinical_summary", "document"};
  int level = 3;
  std::string from;
  std::string to;
  std::string form;
  KeyOptions key;
  bool per_claim = false;
  bool automatic = true;
};

Result<json> give(Context& context, const GiveOptions& options) {
  json body = {{"person", {{"value", options.person}}},
               {"grantee", options.grantee},
               {"purposes", options.purposes},
               {"classes", options.classes},
               {"level_max", options.level},
               {"per_claim", options.per_claim},
               {"automatic", options.automatic}};
  if (!options.form.empty()) body["form"] = options.form;
  if (!options.from.empty()) body["from"] = options.from;
  if (!options.to.empty()) body["to"] = options.to;
  return send(context, "/v1/consents", std::move(body), options.key);
}

void print_given(const json& answer) {
  fmt::print("consent {} ({}), certified at height {} after {} ms\n", text_at(answer, "consent"),
             text_at(answer, "attestation"), number_at(answer, "height"),
             number_at(answer, "certified_ms"));
}

void print_list(const json& answer) {
  gateway::Table table(
      {{"consent"}, {"grantee"}, {"purposes"}, {"state"}, {"attestation"}, {"until"}});
  for (const auto& consent : answer["consents"]) {
    table.add_row({text_at(consent, "consent"), text_at(consent, "grantee_name"),
                   consent["purposes"].dump(), text_at(consent, "state"),
                   text_at(consent, "attestation"), iso_time(number_at(consent, "to_ms"))});
  }
  fmt::print("{}", table.text());
}

void add_give(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("give", "Record a consent that a person gave");
  command->footer(
      "The node's institution attests it if it may; the person's number travels in the request\n"
      "body only and never reaches the chain.\n\nExample:\n"
      "  baolian consent give --person 999999198001010018 --grantee 3f… --purpose HPAYMT");
  auto options = std::make_shared<GiveOptions>();
  command->add_option("--person", options->person, "number of the person")->required();
  command->add_option("--grantee", options->grantee, "institution id of who may read")->required();
  command->add_option("--purpose", options->purposes, "TREAT, HPAYMT, HOPERAT ...");
  command->add_option("--class", options->classes, "administrative, bill, clinical_summary ...");
  command->add_option("--level", options->level, "highest level included, 1 to 5");
  command->add_option("--from", options->from, "first civil day, default now");
  command->add_option("--to", options->to, "last civil day, default in a year");
  options->key.add_to(*command, "--person-key");
  command->add_option("--form", options->form, "number of the signed paper, scan or recording");
  command->add_flag("--per-claim", options->per_claim, "for one claim only");
  command->add_flag("!--no-automatic", options->automatic, "persons only, no programs");
  command->callback([options, &context] { show(context, give(context, *options), print_given); });
}

void print_form(const json& answer) {
  fmt::print("consent     {}\nperson      {}\nform        {}\nsalt        {}\n",
             text_at(answer, "consent"), text_at(answer, "person"), text_at(answer, "form"),
             text_at(answer, "salt"));
  fmt::print("canonical   {}\ncommitment  {}  (on the chain)\n", text_at(answer, "canonical"),
             text_at(answer, "commitment"));
}

void add_form(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("form", "The form that a consent's commitment is of");
  command->footer(
      "For a court: SHA-256 of \"salted\", salt and canonical form is the commitment on the\n"
      "chain. Only a node that took the form down or attested it keeps it.\n\nExample:\n"
      "  baolian consent form 5f3c…");
  auto id = std::make_shared<std::string>();
  command->add_option("consent", *id, "consent id")->required();
  command->callback([id, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context, client->request_json("GET", "/v1/consents/" + *id + "/form"), print_form);
  });
}

void add_new_key(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("new-key", "Make a key of a person's own");
  command->footer(
      "One key for each institution that is to read, or one for all who treat: the same key\n"
      "twice would show that two pseudonyms are one person.\n\nExample:\n"
      "  baolian consent new-key wang.key --key-passphrase-file wang.passphrase");
  auto key = std::make_shared<KeyOptions>();
  command->add_option("file", key->file, "the new file")->required();
  command->add_option("--key-passphrase-file", key->passphrase_file, "seals it")->required();
  command->callback([key, &context] {
    const auto made = new_person_key(key->file, key->passphrase_file);
    if (!made) return context.failed(made.error());
    show(context, Result<json>(json{{"key", made->hex()}, {"file", key->file}}),
         [](const json& answer) {
           fmt::print("key {} in {}\n", text_at(answer, "key"), text_at(answer, "file"));
         });
  });
}

void add_register_key(CLI::App& group, Context& context) {
  auto* command = group.add_subcommand("register-key", "Register a person's own key, attested");
  command->footer(
      "An attestor vouches that the key is in the person's hand. From then on the person's\n"
      "signature alone attests consents for this audience.\n\nExample:\n"
      "  baolian consent register-key --person 999999198001010018 --person-key wang.key \\\n"
      "    --key-passphrase-file wang.passphrase");
  struct Options {
    std::string person;
    std::string audience = "care";
    std::string form;
    KeyOptions key;
  };
  auto options = std::make_shared<Options>();
  command->add_option("--person", options->person, "number of the person")->required();
  command->add_option("--audience", options->audience, "care, or the id of an insurer");
  command->add_option("--form", options->form, "number of the paper, scan or recording");
  options->key.add_to(*command, "--person-key");
  command->get_option("--person-key")->required();
  command->callback([options, &context] {
    const auto key = PersonKey::load(options->key.file, options->key.passphrase_file);
    if (!key) return context.failed(key.error());
    const json body = {{"person", {{"value", options->person}}},
                       {"audience", options->audience},
                       {"form", options->form},
                       {"key", key->public_key().hex()}};
    show(context, send(context, "/v1/person-keys", body, options->key), [](const json& answer) {
      fmt::print("registered, certified at height {}\n", number_at(answer, "height"));
    });
  });
}

}  // namespace

void add_consent_commands(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand("consent", "Give, revoke and list consents");
  group->require_subcommand(1);
  add_give(*group, context);
  add_form(*group, context);
  add_new_key(*group, context);
  add_register_key(*group, context);

  auto* revoke = group->add_subcommand("revoke", "End a consent");
  revoke->footer("Example:\n  baolian consent revoke 5f3c…");
  auto id = std::make_shared<std::string>();
  auto paper = std::make_shared<std::string>();
  revoke->add_option("consent", *id, "consent id")->required();
  revoke->add_option("--form", *paper, "number of the signed paper, scan or recording");
  auto key = std::make_shared<KeyOptions>();
  key->add_to(*revoke, "--person-key");
  revoke->callback([id, paper, key, &context] {
    const json body = {{"form", *paper}, {"consent", *id}};
    show(context, send(context, "/v1/consents/" + *id + "/revoke", body, *key),
         [](const json& answer) {
           fmt::print("revoked, certified at height {}\n", number_at(answer, "height"));
         });
  });

  auto* list = group->add_subcommand("list", "Consents of a person");
  list->footer("Example:\n  baolian consent list --person 999999198001010018");
  auto person = std::make_shared<std::string>();
  list->add_option("--person", *person, "number of the person")->required();
  list->callback([person, &context] {
    auto client = context.connect();
    if (!client) return context.failed(client.error());
    show(context,
         client->request_json("POST", "/v1/consents/query", {{"person", {{"value", *person}}}}),
         print_list);
  });
}

}  // namespace baolian::cli
