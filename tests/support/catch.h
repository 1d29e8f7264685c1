/// The only place that includes Catch2: its major version may change in one line.
#pragma once

#include <catch2/catch.hpp>
