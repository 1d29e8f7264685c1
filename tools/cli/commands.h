/// The command groups of baolian(1). Each adds its subcommands with help and examples to the
/// application; what a command does runs as CLI11's callback and sets context.exit.
#pragma once

#include "cli/client.h"

namespace CLI {
class App;
}

namespace baolian::cli {

void add_network_commands(CLI::App& app, Context& context);
void add_node_commands(CLI::App& app, Context& context);
void add_consent_commands(CLI::App& app, Context& context);
void add_record_commands(CLI::App& app, Context& context);
void add_policy_commands(CLI::App& app, Context& context);
/// Into the group `product`, which add_policy_commands makes.
void add_product_commands(CLI::App& product_group, Context& context);
void add_publish_command(CLI::App& product_group, Context& context);
void add_catalog_commands(CLI::App& app, Context& context);
void add_policy_show_command(CLI::App& policy_group, Context& context);
void add_discharge_command(CLI::App& app, Context& context);
void add_claim_commands(CLI::App& app, Context& context);
/// Commands below `claim`, and `payment`, and `audit payout`.
void add_decision_commands(CLI::App& claim_group, Context& context);
void add_payment_commands(CLI::App& app, Context& context);
void add_payout_command(CLI::App& audit_group, Context& context);
/// `audit verify-node`.
void add_verify_node_command(CLI::App& audit_group, Context& context);
void add_audit_commands(CLI::App& app, Context& context);
void add_verify_command(CLI::App& app, Context& context);
void add_archive_commands(CLI::App& app, Context& context);

}  // namespace baolian::cli
