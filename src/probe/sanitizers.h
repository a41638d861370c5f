// SPDX-License-Identifier: MIT
#pragma once

namespace mlos::probe {

/// True in builds whose sanitizer reserves terabytes of address space for its shadow, so that
/// RLIMIT_AS cannot be used.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kShadowedMemory = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kShadowedMemory = true;
#else
inline constexpr bool kShadowedMemory = false;
#endif
#else
inline constexpr bool kShadowedMemory = false;
#endif

}  // namespace mlos::probe
