/// Result<T>: a value or an Error, with the member names of std::expected, which GCC 12 does not
/// have in C++20. For expected failures: bad input, refused requests, missing things. Our own bugs
/// ASSERT; a failed fsync ends the process.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "core/assert.h"
#include "core/errc.h"

namespace baolian {

/// What went wrong. `context` is a sentence for a person: what was wrong and what to do. It never
/// holds personal data.
struct Error {
  Errc code = Errc::internal;
  std::string context;

  friend bool operator==(const Error&, const Error&) = default;
};

/// Makes an Error to be returned: `return fail(Errc::bad_hex, "odd number of digits");`
inline Error fail(Errc code, std::string context) { return Error{code, std::move(context)}; }

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// Requires: has_value().
  T& value() & {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// Requires: !has_value().
  const Error& error() const& {
    ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    ASSERT(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool has_value() const { return error_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  void value() const { ASSERT(has_value()); }

  /// Requires: !has_value().
  const Error& error() const& {
    ASSERT(!has_value());
    return *std::get_if<1>(&error_);
  }
  Error&& error() && {
    ASSERT(!has_value());
    return std::move(*std::get_if<1>(&error_));
  }

 private:
  std::variant<std::monostate, Error> error_;
};

/// The success of an operation that has nothing to return.
inline Result<void> ok() { return {}; }

}  // namespace baolian

#define BAOLIAN_TRY_JOIN2(a, b) a##b
#define BAOLIAN_TRY_JOIN(a, b) BAOLIAN_TRY_JOIN2(a, b)
#define BAOLIAN_TRY_VALUE(temporary, target, expression)           \
  auto temporary = (expression);                                   \
  if (!temporary.has_value()) return std::move(temporary).error(); \
  target = *std::move(temporary)

/// `TRY(auto x, f())` unwraps, `TRY(f())` checks; both return the error to the caller.
#define BAOLIAN_TRY_PICK(_1, _2, name, ...) name
#define BAOLIAN_TRY_1(expression)                                                      \
  do {                                                                                 \
    auto baolian_try_result = (expression);                                            \
    if (!baolian_try_result.has_value()) return std::move(baolian_try_result).error(); \
  } while (false)
#define BAOLIAN_TRY_2(target, expression) \
  BAOLIAN_TRY_VALUE(BAOLIAN_TRY_JOIN(baolian_try_, __LINE__), target, expression)
#define TRY(...) BAOLIAN_TRY_PICK(__VA_ARGS__, BAOLIAN_TRY_2, BAOLIAN_TRY_1)(__VA_ARGS__)
