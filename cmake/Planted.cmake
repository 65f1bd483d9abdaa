# sim_planted: the simulator over a product in which faults were planted. Only copies of these files
# have them (tests/sim/planted/faults.h); their objects go before the libraries' own of that name.
list(TRANSFORM planted_files PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE planted_sources)
list(TRANSFORM planted_files PREPEND ${CMAKE_BINARY_DIR}/planted/ OUTPUT_VARIABLE planted_copies)

add_library(planted_faults OBJECT ${CMAKE_SOURCE_DIR}/tests/sim/planted/faults.cpp)
target_link_libraries(planted_faults PUBLIC videosync_options fmt::fmt)
add_executable(write_copies ${CMAKE_SOURCE_DIR}/tests/sim/planted/write_copies.cpp)
target_link_libraries(write_copies PRIVATE planted_faults)
add_custom_command(OUTPUT ${planted_copies}
  COMMAND write_copies ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/planted ${planted_files}
  DEPENDS write_copies ${planted_sources}
  COMMENT "Planting faults into copies"
  VERBATIM)
add_executable(sim_planted ${CMAKE_SOURCE_DIR}/tests/sim/planted/main.cpp ${planted_copies})
target_link_libraries(sim_planted PRIVATE planted_faults videosync_sim)
videosync_precompile(sim_planted)
videosync_unity(sim_planted)

add_test(NAME sim_planted COMMAND sim_planted)
set_tests_properties(sim_planted PROPERTIES LABELS sim TIMEOUT 300)
