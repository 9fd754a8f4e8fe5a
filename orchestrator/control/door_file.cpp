#include "orchestrator/control/door_file.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "orchestrator/control/whole_file.h"

namespace windrow::control {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path door_file(const fs::path& database) {
  return database.string() + ".door";
}

void write_door_file(const fs::path& file, const DoorCard& card) {
  const std::string text = json{{"host", card.host},
                                {"addresses", card.addresses},
                                {"port", card.port},
                                {"server_key", card.server_key},
                                {"client_key", card.client_key},
                                {"client_secret", card.client_secret},
                                {"folder", card.folder}}
                               .dump(1, ' ', false, json::error_handler_t::replace) +
                           "\n";
  if (const std::string fault = write_whole_file(file, text, 0600); !fault.empty())
    throw std::runtime_error(fault);
}

std::optional<DoorCard> read_door_file(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  try {
    const json fields = json::parse(read_whole_file(file));
    return DoorCard{fields.at("host"),       fields.at("addresses"),  fields.at("port"),
                    fields.at("server_key"), fields.at("client_key"), fields.at("client_secret"),
                    fields.at("folder")};
  } catch (const json::exception& fault) {
    throw std::runtime_error(file.string() + ": is no door of this version: " + fault.what());
  }
}

}  // namespace windrow::control
