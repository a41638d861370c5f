# One folder of axon is one layer, as `mlos_layer` has it for src/: a static library `axon_<name>`
# whose files include `axon/...` from the root of the repository.
#
#   axon_layer(ui SOURCES console.cc LIBRARIES PUBLIC mlos_base)
function(axon_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(axon_${name} STATIC ${ARG_SOURCES})
  target_include_directories(axon_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(axon_${name} ${ARG_LIBRARIES})
endfunction()

# The tests of a layer, in one program `axon_<name>_test`, found by ctest one by one (label unit).
function(axon_test name)
  if(NOT MLOS_BUILD_TESTS)
    return()
  endif()
  add_executable(axon_${name}_test ${ARGN})
  target_link_libraries(axon_${name}_test PRIVATE axon_${name} GTest::gmock_main)
  mlos_quick_compile(axon_${name}_test)
  gtest_discover_tests(axon_${name}_test
    PROPERTIES LABELS unit TIMEOUT 120 DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
