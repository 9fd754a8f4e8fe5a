// What trainers write: messages of the line protocol, and lines that programs print.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/lines.h"
#include "protocol/printed_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace windrow::protocol;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {+[](std::string_view line) { (void)parse_to_trainer(line); },
                           +[](std::string_view line) {
                             const auto message = parse_from_trainer(line);
                             // What is understood can be said again.
                             if (message && !parse_from_trainer(to_line(*message))) std::abort();
                           }}) {
    try {
      parse(text);
    } catch (const ProtocolError&) {
    }
  }
  (void)parse_printed_line(text);
  return 0;
}
