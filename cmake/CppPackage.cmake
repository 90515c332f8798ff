# SPDX-License-Identifier: GPL-2.0-only
# The installed C++ interface: one archive with everything inside, so that an author's project needs
# nothing but it and the C++ library. Our libraries and those of others that they use (Unicorn,
# libfdt, libarchive and its decompressors) are linked into one object file, of which only the names
# of include/pkvmemu stay visible: an author's own zlib or another Unicorn does not meet ours.
find_program(PKVMEMU_LD NAMES ld.bfd REQUIRED)
find_program(PKVMEMU_OBJCOPY NAMES llvm-objcopy-19 REQUIRED)
mark_as_advanced(PKVMEMU_LD PKVMEMU_OBJCOPY)

# All static libraries behind a target: ours as targets, then those of others as files, in the order
# in which they are stated. Unicorn comes before libz: both define crc32.
function(pkvmemu_static_closure target targets_out files_out)
  set(targets)
  set(files)
  set(open ${target})
  while(open)
    list(POP_FRONT open item)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" item "${item}")
    if(item MATCHES "\\.a$")
      list(REMOVE_ITEM files ${item})
      list(APPEND files ${item})
    endif()
    if(NOT TARGET ${item})
      continue()
    endif()
    get_target_property(aliased ${item} ALIASED_TARGET)
    if(aliased)
      set(item ${aliased})
    endif()
    if(item IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${item})
    get_target_property(type ${item} TYPE)
    get_target_property(imported ${item} IMPORTED)
    if(type STREQUAL STATIC_LIBRARY AND imported)
      get_target_property(file ${item} IMPORTED_LOCATION)
      list(APPEND files ${file})
    elseif(type STREQUAL STATIC_LIBRARY)
      list(APPEND targets ${item})
    endif()
    get_target_property(further ${item} INTERFACE_LINK_LIBRARIES)
    if(further)
      list(PREPEND open ${further})
    endif()
  endwhile()
  set(${targets_out} ${targets} PARENT_SCOPE)
  set(${files_out} ${files} PARENT_SCOPE)
endfunction()

pkvmemu_static_closure(pkvmemu_api own others)
list(REMOVE_ITEM own pkvmemu_api)
list(TRANSFORM own REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE own_files)
set(api_object ${CMAKE_BINARY_DIR}/package/pkvmemu.o)
set(api_archive ${CMAKE_BINARY_DIR}/package/libpkvmemu.a)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
add_custom_command(OUTPUT ${api_archive}
  COMMAND ${PKVMEMU_LD} -r --force-group-allocation -o ${api_object}
          --whole-archive $<TARGET_FILE:pkvmemu_api> --no-whole-archive
          --start-group ${own_files} --end-group --start-group ${others} --end-group
  # Functions, their const kin, and what exceptions and virtual functions need.
  COMMAND ${PKVMEMU_OBJCOPY} --strip-unneeded --wildcard
          --keep-global-symbol=_ZN7pkvmemu2v1* --keep-global-symbol=_ZNK7pkvmemu2v1*
          --keep-global-symbol=_ZT?N7pkvmemu2v1* ${api_object}
  COMMAND ${CMAKE_COMMAND} -E rm -f ${api_archive}
  COMMAND ${CMAKE_AR} crsD ${api_archive} ${api_object}
  DEPENDS pkvmemu_api ${own} ${others} VERBATIM
  COMMENT "Bundling the C++ interface as one library")
add_custom_target(cpp_package ALL DEPENDS ${api_archive})

include(CMakePackageConfigHelpers)
set(api_config ${CMAKE_BINARY_DIR}/package/pkvm-emu-config-version.cmake)
write_basic_package_version_file(${api_config} COMPATIBILITY SameMinorVersion)

install(DIRECTORY include/pkvmemu DESTINATION include COMPONENT dev)
install(FILES ${api_archive} DESTINATION lib COMPONENT dev)
install(FILES cmake/package/pkvm-emu-config.cmake cmake/package/pkvm-emu-modules.cmake ${api_config}
        DESTINATION lib/cmake/pkvm-emu COMPONENT dev)
install(DIRECTORY examples/gtest DESTINATION share/pkvm-emu/examples COMPONENT dev)
