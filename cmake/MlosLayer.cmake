# One folder is one layer: one static library `mlos_<name>` whose files include each other, and the
# layers it names, from src/.
#
#   mlos_layer(tensor SOURCES dtype.cc LIBRARIES PUBLIC mlos_base)
#
# A layer without sources of its own is refused: a folder holds code or does not exist.
function(mlos_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(mlos_${name} STATIC ${ARG_SOURCES})
  target_compile_options(mlos_${name} PRIVATE ${MLOS_LINK_TIME_CODE})
  target_include_directories(mlos_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(mlos_${name} ${ARG_LIBRARIES})
endfunction()

# The program is optimised as a whole where it is linked, with the layers it consists of: a request
# passes through many of them, and calls between them cost a tenth of its time.
function(mlos_optimize_at_link target)
  if(MLOS_LINK_TIME_CODE)
    set_target_properties(${target} PROPERTIES MLOS_OPTIMIZE_AT_LINK ON)
    target_compile_options(${target} PRIVATE ${MLOS_LINK_TIME_CODE})
    # g++ 12 sees reads of 2^64 bytes in std::string_view::find.
    target_link_options(${target} PRIVATE -flto=auto -Wno-stringop-overread)
  endif()
endfunction()

# Layers of code that runs at the start, or when models come and go: every page of it is in memory
# from the start on, and no request waits for it.
function(mlos_small_code)
  foreach(target IN LISTS ARGN)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-Os>)
  endforeach()
endfunction()

# Tests run for seconds and are compiled often: their own files are not optimised.
function(mlos_quick_compile target)
  target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
endfunction()

# The tests of a layer, in one program `mlos_<name>_test`, found by ctest one by one (label unit),
# after the test that makes what they need, if they name one.
#
#   mlos_test(tensor dtype_test.cc LIBRARIES extra FIXTURE onnx_plugin_models)
function(mlos_test name)
  if(NOT MLOS_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "FIXTURE" "LIBRARIES" ${ARGN})
  add_executable(mlos_${name}_test ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(mlos_${name}_test PRIVATE mlos_${name} ${ARG_LIBRARIES} GTest::gmock_main)
  mlos_quick_compile(mlos_${name}_test)
  gtest_discover_tests(mlos_${name}_test
    PROPERTIES LABELS unit TIMEOUT 120 FIXTURES_REQUIRED "${ARG_FIXTURE}"
    DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
endfunction()
