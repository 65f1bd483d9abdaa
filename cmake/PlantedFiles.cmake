# The files that sim_planted (Planted.cmake) has other copies of. In a library they are compiled apart from
# its others, so that nothing there wants the object that has them.
set(planted_files
  proto/session/session_door.cpp
  proto/session/session_machine.cpp
  proto/session/session_takeover.cpp
  server/nodes/digest_exchange.cpp
  server/nodes/nodes.cpp
  server/session/agreement.cpp
  server/session/copies.cpp
  server/session/ending.cpp
  server/session/home_effects.cpp
  server/session/home_members.cpp
  server/session/home_nodes.cpp
  server/session/moving.cpp
  server/session/outpost.cpp
  server/session/outpost_casts.cpp
  server/session/outpost_home.cpp
  server/session/outpost_messages.cpp
  storage/redis/common_time.cpp
  tests/sim/redis_data.cpp)
foreach(file ${planted_files})
  set_source_files_properties(${CMAKE_SOURCE_DIR}/${file} PROPERTIES UNITY_GROUP planted)
endforeach()
