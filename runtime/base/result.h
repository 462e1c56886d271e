// Result<T>: a value or an Error, since C++20 has no std::expected. Mistakes in a source become diagnostics and in a
// message dead letters; Error is for what stops an operation: a file, a registry, a store, an artifact.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "runtime/base/check.h"

namespace weir {

// `message` is for people, lower case, without patient data.
struct Error {
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}      // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T& value() {
    WEIR_CHECK(ok());
    return *value_;
  }
  const T& value() const {
    WEIR_CHECK(ok());
    return *value_;
  }
  const Error& error() const {
    WEIR_CHECK(!ok());
    return error_;
  }

 private:
  std::optional<T> value_;
  Error error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}      // NOLINT(google-explicit-constructor)
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    WEIR_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace weir
