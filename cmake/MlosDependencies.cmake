# Everything that is not ours, found once. `make` installs what is missing (tools/setup).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CURL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(LibArchive REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
if(MLOS_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

# ONNX Runtime comes from .deps (tools/setup/onnxruntime.sh); only plugins/onnx may link it.
set(ONNXRUNTIME_ROOT ${PROJECT_SOURCE_DIR}/.deps/onnxruntime CACHE PATH
  "Folder with include/ and lib/ of ONNX Runtime")
if(NOT EXISTS ${ONNXRUNTIME_ROOT}/lib/libonnxruntime.so.1)
  message(FATAL_ERROR "ONNX Runtime is not in ${ONNXRUNTIME_ROOT}; type `make setup` once")
endif()
add_library(onnxruntime SHARED IMPORTED)
set_target_properties(onnxruntime PROPERTIES
  IMPORTED_LOCATION ${ONNXRUNTIME_ROOT}/lib/libonnxruntime.so.1
  INTERFACE_INCLUDE_DIRECTORIES ${ONNXRUNTIME_ROOT}/include)
if(MLOS_SANITIZE)
  # Once it is unmapped the leak checker cannot see what it keeps for the life of the process.
  set(keep_mapped -Wl,--push-state,--no-as-needed ${ONNXRUNTIME_ROOT}/lib/libonnxruntime.so.1
    -Wl,--pop-state,-rpath,${ONNXRUNTIME_ROOT}/lib)
  add_link_options("$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${keep_mapped}>")
endif()
