// SPDX-License-Identifier: MIT
#pragma once

// Clang's thread-safety attributes (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html); empty
// for other compilers.
#if defined(__clang__)
#define MLOS_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define MLOS_THREAD_ATTRIBUTE(x)
#endif

#define CAPABILITY(x) MLOS_THREAD_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY MLOS_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) MLOS_THREAD_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) MLOS_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) MLOS_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) MLOS_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define EXCLUDES(...) MLOS_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS MLOS_THREAD_ATTRIBUTE(no_thread_safety_analysis)
