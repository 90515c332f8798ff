# SPDX-License-Identifier: GPL-2.0-only
# Guest code: freestanding C++23 for AArch64 with the host's clang, linked by lld.
find_program(LLD ld.lld-19 REQUIRED)
find_program(OBJCOPY llvm-objcopy-19 REQUIRED)
find_program(NM llvm-nm-19 REQUIRED)

set(PKVM_FIRMWARE_FLAGS
  --target=aarch64-linux-gnu -march=armv8-a -ffreestanding -nostdlib -fPIE -fvisibility=hidden
  -mgeneral-regs-only -ffixed-x18 -fno-stack-protector -fno-asynchronous-unwind-tables
  -fno-unwind-tables -mno-outline-atomics -Os -g -UNDEBUG)
set(PKVM_FIRMWARE_LINK_FLAGS
  -pie --no-dynamic-linker -Bsymbolic -z noexecstack -z norelro --hash-style=sysv --build-id=none
  --gc-sections --orphan-handling=error)
set(PKVM_FIRMWARE_CXX_FLAGS -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit)

# Objects of one part of the firmware; link them with pkvm_firmware_elf.
function(pkvm_firmware_objects name)
  cmake_parse_arguments(ARG "" "" "SOURCES;OPTIONS" ${ARGN})
  add_library(${name} OBJECT ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
                             ${CMAKE_SOURCE_DIR}/firmware)
  target_compile_definitions(${name} PRIVATE PKVM_FIRMWARE=1)
  target_compile_options(${name} PRIVATE ${PKVM_FIRMWARE_FLAGS}
    $<$<COMPILE_LANGUAGE:CXX>:${PKVM_FIRMWARE_CXX_FLAGS} ${PKVMEMU_WARNINGS}> ${ARG_OPTIONS})
endfunction()

# A static PIE linked at 0 with its relocations kept (.rela.dyn), and the flat image beside it:
# pkvm_firmware_elf(hyp SCRIPT hyp.lds OBJECTS fw_hyp) -> firmware/hyp.elf, firmware/hyp.bin,
# and its symbols (firmware/hyp.map)
function(pkvm_firmware_elf name)
  cmake_parse_arguments(ARG "" "SCRIPT" "OBJECTS;DEPENDS" ${ARGN})
  set(elf ${CMAKE_BINARY_DIR}/firmware/${name}.elf)
  set(bin ${CMAKE_BINARY_DIR}/firmware/${name}.bin)
  set(names ${CMAKE_BINARY_DIR}/firmware/${name}.map)
  set(objects)
  foreach(object IN LISTS ARG_OBJECTS)
    list(APPEND objects $<TARGET_OBJECTS:${object}>)
  endforeach()
  add_custom_command(OUTPUT ${elf} ${bin} ${names}
    COMMAND ${LLD} ${PKVM_FIRMWARE_LINK_FLAGS} -T ${ARG_SCRIPT} -o ${elf} ${objects}
    COMMAND ${OBJCOPY} -O binary ${elf} ${bin}
    COMMAND ${NM} -n -S --defined-only ${elf} > ${names}
    DEPENDS ${objects} ${ARG_SCRIPT} ${ARG_DEPENDS} COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Linking firmware ${name}")
  add_custom_target(firmware_${name} ALL DEPENDS ${elf} ${bin})
endfunction()
