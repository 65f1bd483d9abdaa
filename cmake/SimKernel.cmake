# kernel_sim: the reactor on a simulated kernel, whose objects take the place of Linux'.
file(GLOB sim_kernel_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/kernel/*.cpp
  ${CMAKE_SOURCE_DIR}/tests/sim/kernel/web/*.cpp)
list(FILTER sim_kernel_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(videosync_sim_kernel OBJECT ${sim_kernel_sources})
target_link_libraries(videosync_sim_kernel PUBLIC videosync_server)
add_executable(kernel_sim ${CMAKE_SOURCE_DIR}/tests/sim/kernel/main.cpp $<TARGET_OBJECTS:videosync_sim_kernel>)
target_link_libraries(kernel_sim PRIVATE videosync_server)

# kernel_sim_planted: the same over a loop in which faults were planted, as sim_planted has them. All of
# the loop is compiled with it: nothing wants the library's objects.
add_library(planted_kernel_faults OBJECT ${CMAKE_SOURCE_DIR}/tests/sim/kernel/planted/faults.cpp)
target_link_libraries(planted_kernel_faults PUBLIC videosync_options fmt::fmt)
add_executable(write_kernel_copies ${CMAKE_SOURCE_DIR}/tests/sim/planted/write_copies.cpp)
target_link_libraries(write_kernel_copies PRIVATE planted_kernel_faults)
set(planted_loop file_pump listener mailbox output_queue reactor ring tcp_stream)
set(unplanted_loop fd_watcher page_residency receive_buffers timer_wheel)
list(TRANSFORM planted_loop REPLACE "(.+)" "core/reactor/\\1.cpp")
list(TRANSFORM unplanted_loop REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/core/reactor/\\1.cpp")
list(TRANSFORM planted_loop PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE planted_loop_sources)
list(TRANSFORM planted_loop PREPEND ${CMAKE_BINARY_DIR}/planted_kernel/ OUTPUT_VARIABLE planted_loop_copies)
add_custom_command(OUTPUT ${planted_loop_copies}
  COMMAND write_kernel_copies ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/planted_kernel ${planted_loop}
  DEPENDS write_kernel_copies ${planted_loop_sources}
  COMMENT "Planting faults into copies of the loop"
  VERBATIM)
add_executable(kernel_sim_planted ${CMAKE_SOURCE_DIR}/tests/sim/kernel/planted/main.cpp
  ${planted_loop_copies} ${unplanted_loop} $<TARGET_OBJECTS:videosync_sim_kernel>)
target_link_libraries(kernel_sim_planted PRIVATE planted_kernel_faults videosync_server)

foreach(target videosync_sim_kernel kernel_sim kernel_sim_planted)
  videosync_precompile(${target})
  videosync_unity(${target})
endforeach()
add_test(NAME sim_kernel COMMAND kernel_sim --from 1 --seeds 2000)
add_test(NAME sim_kernel_fresh COMMAND kernel_sim --seeds 1000000 --seconds 10)
add_test(NAME sim_kernel_web COMMAND kernel_sim --web --from 1 --seeds 400)
add_test(NAME sim_kernel_web_fresh COMMAND kernel_sim --web --seeds 1000000 --seconds 10)
add_test(NAME sim_kernel_planted COMMAND kernel_sim_planted)
set_tests_properties(sim_kernel sim_kernel_fresh sim_kernel_web sim_kernel_web_fresh PROPERTIES LABELS sim TIMEOUT 120)
set_tests_properties(sim_kernel_planted PROPERTIES LABELS sim TIMEOUT 300)

# The simulated kernel is held against Linux: the same random programs on both.
foreach(kernel linux simulated)
  add_executable(kernel_parity_${kernel} ${CMAKE_SOURCE_DIR}/tests/sim/kernel/parity/main.cpp
    ${CMAKE_SOURCE_DIR}/tests/sim/kernel/parity/${kernel}_peers.cpp)
  target_link_libraries(kernel_parity_${kernel} PRIVATE videosync_server)
  videosync_precompile(kernel_parity_${kernel})
endforeach()
target_sources(kernel_parity_simulated PRIVATE $<TARGET_OBJECTS:videosync_sim_kernel>)
add_test(NAME sim_kernel_parity COMMAND ${CMAKE_COMMAND} -DON_LINUX=$<TARGET_FILE:kernel_parity_linux>
  -DON_SIMULATED=$<TARGET_FILE:kernel_parity_simulated> -DFOLDER=${CMAKE_BINARY_DIR}/kernel_parity
  -P ${CMAKE_SOURCE_DIR}/tests/sim/kernel/parity/compare.cmake)
set_tests_properties(sim_kernel_parity PROPERTIES LABELS sim TIMEOUT 60)
