# SPDX-License-Identifier: GPL-2.0-only
# pkvmemu::options: what every host target compiles with. Firmware has its own (Firmware.cmake), so
# nothing here may go into CMAKE_CXX_FLAGS, which both would see.
add_library(pkvmemu_options INTERFACE)
add_library(pkvmemu::options ALIAS pkvmemu_options)
target_include_directories(pkvmemu_options INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
set(PKVMEMU_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                     -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
                     -Wextra-semi -Werror)
target_compile_options(pkvmemu_options INTERFACE ${PKVMEMU_WARNINGS} -gline-tables-only)
if(PKVMEMU_SANITIZE)
  # UBSan's own word before each function would take the place of kCFI's, which the native
  # hypervisor tests look for.
  target_compile_options(pkvmemu_options INTERFACE -fsanitize=${PKVMEMU_SANITIZE}
                         -fno-sanitize=function -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(pkvmemu_options INTERFACE -fsanitize=${PKVMEMU_SANITIZE})
endif()

# A library of one source folder: pkvmemu_library(mmu SOURCES a.cpp DEPENDS support)
# defines the target pkvmemu_mmu, alias pkvmemu::mmu.
function(pkvmemu_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(pkvmemu_${name} STATIC ${ARG_SOURCES})
  add_library(pkvmemu::${name} ALIAS pkvmemu_${name})
  list(TRANSFORM ARG_DEPENDS REPLACE "^([a-z_]+)$" "pkvmemu::\\1")
  target_link_libraries(pkvmemu_${name} PUBLIC pkvmemu::options ${ARG_DEPENDS}
                        PRIVATE ${ARG_PRIVATE_DEPENDS})
endfunction()

find_package(GTest REQUIRED)

# A GoogleTest binary whose cases become ctest tests: pkvmemu_test(mmu SOURCES ... DEPENDS mmu)
# defines test_mmu in build/<preset>/tests. ONE_ENTRY: register as one ctest entry (cheap cases).
# Those that hold us to rows of the specification (DEPENDS harness_conformance) get a label, so that
# `ctest -L conformance` gathers all evidence for docs/conformance.md. LABELS: others.
function(pkvmemu_test name)
  cmake_parse_arguments(ARG "ONE_ENTRY" "TIMEOUT" "SOURCES;DEPENDS;PRIVATE_DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(test_${name} ${ARG_SOURCES})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/testcases)
  list(TRANSFORM ARG_DEPENDS REPLACE "^([a-z_]+)$" "pkvmemu::\\1")
  target_link_libraries(test_${name} PRIVATE pkvmemu::options ${ARG_DEPENDS} ${ARG_PRIVATE_DEPENDS}
                        GTest::gmock_main)
  target_compile_definitions(test_${name} PRIVATE
    PKVMEMU_TEST_DATA="${CMAKE_SOURCE_DIR}/testcases/data"
    PKVMEMU_BUILD_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(test_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  set(properties TIMEOUT ${ARG_TIMEOUT})
  if("pkvmemu::harness_conformance" IN_LIST ARG_DEPENDS)
    list(APPEND ARG_LABELS conformance)
  endif()
  if(ARG_LABELS)
    list(APPEND properties LABELS ${ARG_LABELS})
  endif()
  if(ARG_ONE_ENTRY)
    add_test(NAME ${name} COMMAND test_${name})
    set_tests_properties(${name} PROPERTIES ${properties})
  else()
    gtest_discover_tests(test_${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                         PROPERTIES ${properties})
  endif()
endfunction()
