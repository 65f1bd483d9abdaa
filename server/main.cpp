// Signals, arguments, settings, what must be there before threads are; then Program does the rest.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/unique_fd.h"
#include "server/config/config.h"
#include "server/config/machine.h"
#include "server/confinement.h"
#include "server/exit_status.h"
#include "server/program.h"
#include "server/service_manager.h"
#include "server/succession/predecessor.h"
#include "server/succession/successor.h"
#include "storage/files/file_helpers.h"

namespace {

// Videos, pages, rings, Redis: more of them are no harm, only a moment's wait.
constexpr std::uint64_t descriptors_besides = 1'024;

}  // namespace

int main(int argc, char** argv) {
  using namespace videosync;
  // Before any thread: signals are read from a descriptor on the first worker.
  const sigset_t signals = Program::handled_signals();
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  UniqueFd predecessor_socket = Predecessor::claim_socket();
  const MachineFacts machine = prepare_machine();
  const std::span<const char* const> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  const auto config = load_config(arguments, machine);
  if (!config) {
    std::FILE* out = config.error().status == 0 ? stdout : stderr;
    std::fputs(config.error().text.c_str(), out);
    return config.error().status;
  }
  log_settings.level = config->log_level;
  log_settings.format = config->log_format;
  reserve_descriptors(config->connections_max + descriptors_besides);
  ServiceManager manager = ServiceManager::from_environment();
  const Launch launch = own_launch(argc, argv);
  Confinement confinement(*config);
  std::vector<std::string> environment = manager.environment();
  environment.push_back(Successor::environment_of_channel());
  // Before there are threads. They are left alone at the end: so long as they hold the table of
  // descriptors, the end of this process closes no file, which might wait for storage that hangs.
  auto helpers = FileHelpers::start(confinement.terms(launch, std::move(environment)));
  if (!helpers) return complain(exit_unfit_machine, helpers.error().message);
  static FileHelpers* const files = helpers->release();
  if (const auto restricted = confinement.restrict_files(); !restricted)
    return complain(exit_unfit_machine, restricted.error().message);
  start_log_writer();
  std::unique_ptr<Predecessor> predecessor;
  if (predecessor_socket) {
    auto met = Predecessor::meet(std::move(predecessor_socket));
    if (!met) {
      complain(exit_bad_config, "cannot take over: " + met.error().message);
      flush_log();
      return exit_bad_config;
    }
    predecessor = std::move(*met);
  }
  const int status =
      Program(*config, machine, *files, confinement, manager, launch, std::move(predecessor)).run();
  flush_log();
  return status;
}
