/// The state of the native contracts: keys (state_keys.h) and values, one header a contract.
#pragma once

#include "contracts/catalog/state.h"
#include "contracts/claims/state.h"
#include "contracts/consent/state.h"
#include "contracts/membership/state.h"
#include "contracts/policies/state.h"
#include "contracts/records/state.h"
#include "contracts/state_keys.h"
