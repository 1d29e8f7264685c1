# baolian_library(<folder> SOURCES ... HEADERS ... [PUBLIC ...] [PRIVATE ...]): the one static library of src/<folder>.
# baolian_test(<name> LABEL <unit|scenario|sim|e2e> SOURCES ... LINK ...): one Catch2 program, one ctest.
# File lists are explicit. Warnings apply to our code only: outside libraries come in as SYSTEM.

add_library(baolian_options INTERFACE)
target_compile_options(baolian_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough
  # clang 14 does not count a call through `this` inside a generic lambda.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-unused-lambda-capture>)
if(BAOLIAN_WARNINGS_AS_ERRORS)
  target_compile_options(baolian_options INTERFACE -Werror)
endif()
if(BAOLIAN_SANITIZE)
  target_compile_options(baolian_options INTERFACE
    -fsanitize=${BAOLIAN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(baolian_options INTERFACE -fsanitize=${BAOLIAN_SANITIZE})
  if(BAOLIAN_SANITIZE MATCHES "undefined")
    # These four double the time of every translation unit. ASan sees a null or wild pointer as well, x86 forgives
    # alignment, and nothing here casts down a hierarchy.
    target_compile_options(baolian_options INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
  endif()
endif()
if(BAOLIAN_SEEDED_BUGS)
  # The table of bugs in core/seeded_bug.h, one chosen at run time. Never in what is deployed.
  target_compile_definitions(baolian_options INTERFACE BAOLIAN_SEEDED_BUGS)
endif()
if(BAOLIAN_FUZZ)
  # Counts branches for libFuzzer in everything of ours; the programs link -fsanitize=fuzzer themselves.
  target_compile_options(baolian_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(BAOLIAN_COVERAGE)
  # Absolute paths, so that the counts of all folders and of headers add up by file.
  target_compile_options(baolian_options INTERFACE --coverage -fprofile-abs-path)
  target_link_options(baolian_options INTERFACE --coverage)
endif()
if(BAOLIAN_TIDY)
  find_program(BAOLIAN_CLANG_TIDY NAMES clang-tidy clang-tidy-14 REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY ${BAOLIAN_CLANG_TIDY})
endif()

find_program(BAOLIAN_MOLD mold)
if(BAOLIAN_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(BAOLIAN_CCACHE ccache)
if(BAOLIAN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BAOLIAN_CCACHE})
endif()

# Reading headers is most of a build. Several files of a library as one: half the time of a cold build, for a little more after
# a change of one file. Helpers in anonymous namespaces of one folder must then differ in name or signature.
option(BAOLIAN_UNITY "Compile several source files of a library together" OFF)

function(baolian_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(baolian_${folder} STATIC ${ARG_SOURCES})
  add_library(baolian::${folder} ALIAS baolian_${folder})
  target_sources(baolian_${folder} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src
                 FILES ${ARG_HEADERS})
  target_link_libraries(baolian_${folder} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE}
                        $<BUILD_INTERFACE:baolian_options>)
  set_target_properties(baolian_${folder} PROPERTIES UNITY_BUILD ${BAOLIAN_UNITY} UNITY_BUILD_BATCH_SIZE 6)
  if(BAOLIAN_UNITY)
    # Members of anonymous types are of one file; the warning takes the files of a batch for headers.
    target_compile_options(baolian_${folder} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

function(baolian_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} baolian_options)
endfunction()

# All that the labels unit, scenario, sim and fuzz-corpus run. Sanitizer builds make this and leave the CLI and the node
# program, which are slow to compile and run end to end only.
add_custom_target(test_programs)

function(baolian_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(test_programs ${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} baolian_test_support baolian_options)
  # Tests run once: a faster compiler is worth more than faster tests.
  target_compile_options(${name} PRIVATE -O0)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
