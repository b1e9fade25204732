# `cmake --install`: the program, its page of the manual, what shells complete, a configuration to
# start from. Nothing goes to /etc: what stands there is the user's.
include(GNUInstallDirs)
install(TARGETS porchlight RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES docs/man/porchlight.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/example.json DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(PROGRAMS hooks/udhcpc.user hooks/odhcp6c.user hooks/dhclient hooks/dhcpcd
        DESTINATION ${CMAKE_INSTALL_DATADIR}/porchlight/hooks)

# The program itself writes the completions, so it must run where it is built.
if(NOT CMAKE_CROSSCOMPILING)
  set(completions ${CMAKE_BINARY_DIR}/completions)
  file(MAKE_DIRECTORY ${completions})
  foreach(shell bash zsh fish)
    add_custom_command(TARGET porchlight POST_BUILD
                       COMMAND porchlight completion ${shell} > ${completions}/${shell} VERBATIM)
  endforeach()
  set(to ${CMAKE_INSTALL_DATADIR})
  install(FILES ${completions}/bash DESTINATION ${to}/bash-completion/completions RENAME porchlight)
  install(FILES ${completions}/zsh DESTINATION ${to}/zsh/site-functions RENAME _porchlight)
  install(FILES ${completions}/fish DESTINATION ${to}/fish/vendor_completions.d
          RENAME porchlight.fish)
endif()
