# SPDX-License-Identifier: GPL-2.0-only
# The SDK as programs find it, in share/pkvm-emu/sdk of the build tree, which has the shape of an
# installed one: the headers of sdk/ (links, so that an edit is seen at once), and beside them each
# generation's table of operations, which pkvm-sdk writes from include/pkvm/ops.def.
#   PKVMEMU_SDK          the folder
#   PKVMEMU_SDK_HEADERS  what a module depends on
# pkvmemu_sdk() makes the rules, once pkvm-sdk is a target.
set(PKVMEMU_KMIS android14-6.1 android15-6.6 android16-6.12)
set(PKVMEMU_SDK ${CMAKE_BINARY_DIR}/share/pkvm-emu/sdk)
file(GLOB_RECURSE PKVMEMU_SDK_HEADERS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/*.h)

if(IS_SYMLINK ${PKVMEMU_SDK}) # as older build trees have it
  file(REMOVE ${PKVMEMU_SDK})
endif()
file(MAKE_DIRECTORY ${PKVMEMU_SDK})
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/sdk/README.md ${PKVMEMU_SDK}/README.md SYMBOLIC)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/sdk/include ${PKVMEMU_SDK}/include SYMBOLIC)
file(GLOB_RECURSE own RELATIVE ${CMAKE_SOURCE_DIR}/sdk CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/kmi/*.h)
foreach(header IN LISTS own)
  get_filename_component(folder ${PKVMEMU_SDK}/${header} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/sdk/${header} ${PKVMEMU_SDK}/${header} SYMBOLIC)
endforeach()

set(tables)
foreach(kmi IN LISTS PKVMEMU_KMIS)
  list(APPEND tables ${PKVMEMU_SDK}/kmi/${kmi}/include/asm/pkvm_module_ops.h)
endforeach()
set(PKVMEMU_SDK_TABLES ${tables})
list(APPEND PKVMEMU_SDK_HEADERS ${tables})

# BYPRODUCTS: ninja looks at the header's own time, which stays when its text does.
function(pkvmemu_sdk)
  foreach(kmi table IN ZIP_LISTS PKVMEMU_KMIS PKVMEMU_SDK_TABLES)
    set(stamp ${CMAKE_CURRENT_BINARY_DIR}/${kmi}.stamp)
    add_custom_command(OUTPUT ${stamp} BYPRODUCTS ${table}
      COMMAND pkvm-sdk ${kmi} ${table}
      COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      DEPENDS pkvm-sdk VERBATIM COMMENT "Writing the table of operations of ${kmi}")
    list(APPEND stamps ${stamp})
    install(FILES ${table} DESTINATION share/pkvm-emu/sdk/kmi/${kmi}/include/asm)
  endforeach()
  add_custom_target(sdk ALL DEPENDS ${stamps})
endfunction()
