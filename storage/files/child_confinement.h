// What a program that works for us may do: it reads films that strangers have made, with libraries
// that have had their faults, so whatever it is made to do must end with itself.
//
// It reads what it is given, writes to the folder that it is given, and to its standard streams; it
// runs what the system's folders, and the one where it lies itself, have; it talks to nobody, and
// reaches no process but its own. By Landlock (files, TCP, signals, as far as the kernel's goes)
// and by a filter of system calls, which leaves no sockets, no rings, nothing of other processes.
// Both are held to by all that it starts.
//
// For the time between fork(2) and execve(2), in a process with one thread.
#pragma once

#include <span>
#include <string>

#include "core/base/error.h"

namespace videosync {

struct ChildPlaces {
  std::string program;         // its path
  std::span<const int> reads;  // films, or folders with them: descriptors
  int writes = -1;             // a folder: a descriptor; -1: none
};

// Where the kernel has less than all of that, what it has; the server tells once what that is.
void confine_child(const ChildPlaces& places);

}  // namespace videosync
