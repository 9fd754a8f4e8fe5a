#include "protocol/program.h"

#include "protocol/hash.h"

namespace windrow::protocol {
namespace {

constexpr std::size_t kNamed = 5;  // more are counted

std::string words(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Program make_program(std::vector<std::string> command, Json files) {
  Program program{"", std::move(command), std::move(files)};
  program.hash = content_hash(dump(Json{{"command", program.command}, {"files", program.files}}))
                     .substr(0, 16);
  return program;
}

std::string difference(const Program& before, const Program& now) {
  std::vector<std::string> parts;
  if (before.command != now.command)
    parts.push_back("the command was `" + words(before.command) + "` and is `" +
                    words(now.command) + "`");
  for (const auto& [name, hash] : now.files.items()) {
    const auto found = before.files.find(name);
    if (found == before.files.end())
      parts.push_back(name + " is new");
    else if (*found != hash)
      parts.push_back(name + " differs");
  }
  for (const auto& item : before.files.items())
    if (!now.files.contains(item.key())) parts.push_back(item.key() + " is gone");
  std::string text;
  for (std::size_t i = 0; i < parts.size() && i < kNamed; ++i)
    text += (i == 0 ? "" : ", ") + parts[i];
  if (parts.size() > kNamed) text += " and " + std::to_string(parts.size() - kNamed) + " more";
  return text;
}

}  // namespace windrow::protocol
