# SPDX-License-Identifier: GPL-2.0-only
# What `cmake --install` puts where, and the Debian package that CPack makes of it. The program finds
# the SDK beside itself (../share/pkvm-emu/sdk), so the prefix can be moved.
install(TARGETS pkvm-emu DESTINATION bin)
install(DIRECTORY sdk DESTINATION share/pkvm-emu)
install(FILES share/bash-completion/completions/pkvm-emu DESTINATION share/bash-completion/completions)
# zsh looks into the first below /usr/local, and on Debian into the second below /usr.
foreach(folder IN ITEMS site-functions vendor-completions)
  install(FILES share/zsh/site-functions/_pkvm-emu DESTINATION share/zsh/${folder})
endforeach()
file(GLOB man_pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
install(FILES ${man_pages} DESTINATION share/man/man1)
file(GLOB documents CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/*.md)
install(FILES README.md ${documents} DESTINATION share/doc/pkvm-emu)
install(FILES LICENSE DESTINATION share/doc/pkvm-emu RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pkvm-emu)
set(CPACK_PACKAGE_CONTACT "The pkvm-emu authors <pkvm-emu@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Runs Android pKVM vendor modules without a phone")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "clang-19, lld-19, llvm-19")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "qemu-system-arm")
include(CPack)
