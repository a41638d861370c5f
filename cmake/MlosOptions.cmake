# Language, warnings, sanitizers: the same for every target.
option(MLOS_BUILD_TESTS "Build the tests" ON)
option(MLOS_BUILD_AXON "Build axon" ON)
set(MLOS_SANITIZE "" CACHE STRING "Sanitizers of this build, as -fsanitize takes them")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # MLOS_TRY is a statement expression
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_compile_options(-Wall -Wextra -Werror -fstack-protector-strong)
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>)
# g++ 12 sees overlaps in std::string that are not there (gcc.gnu.org/PR105651), and takes files
# that are joined (CMAKE_UNITY_BUILD) for headers.
set(gnu_release $<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<CONFIG:Release>>)
add_compile_options("$<${gnu_release}:-Wno-restrict;-Wno-subobject-linkage>")
# Designated initializers leave the rest at their defaults on purpose.
add_compile_options(-Wno-missing-field-initializers)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT MLOS_SANITIZE)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections -Wl,-z,relro,-z,now)
  # The table of relocations is read at each start: 150 KiB of memory less.
  include(CheckLinkerFlag)
  set(pack_relocations -Wl,-z,pack-relative-relocs)
  check_linker_flag(CXX ${pack_relocations} MLOS_PACKS_RELOCATIONS)
  if(MLOS_PACKS_RELOCATIONS)
    add_link_options("$<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${pack_relocations}>")
  endif()
endif()
# Layers (MlosLayer.cmake) hold the code as the linker's optimiser reads it beside ordinary code.
# Core is optimised once more as a whole, across its layers; all else is linked quickly.
set(MLOS_LINK_TIME_CODE "")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Release"
   AND NOT MLOS_SANITIZE)
  set(MLOS_LINK_TIME_CODE -flto=auto -ffat-lto-objects)
  set(optimized_at_link $<BOOL:$<TARGET_PROPERTY:MLOS_OPTIMIZE_AT_LINK>>)
  add_link_options($<$<NOT:${optimized_at_link}>:-fno-lto>)
endif()
if(MLOS_SANITIZE)
  add_compile_options(-fsanitize=${MLOS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MLOS_SANITIZE})
  set(sanitizer_ignore -fsanitize-ignorelist=${CMAKE_CURRENT_LIST_DIR}/sanitizer-ignore.txt)
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:${sanitizer_ignore}>)
endif()
