#include "options.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "refusal.h"

namespace gdq::run {

const char* const kUsage =
    "usage: gdq_run [MODEL.gdq] --tiles DIR [--isa NAME] [--bits LIST] [--rounds N] [--duration "
    "S]\n"
    "               [--affinity MASK] [--picture FILE --plan FILE [--workers LIST]]\n"
    "               [--library FILE --model [BITS=]FILE... [--accelerator cpu|nnapi]]...\n";

namespace {

constexpr int kMostRounds = 1000000, kMostWorkers = 64;
constexpr int kDefaultRounds = 40;
constexpr double kLongest = 86400;  // seconds

// A decimal number without sign or blanks.
int whole(const std::string& text, const char* option, int least, int most) {
  const bool digits = !text.empty() && text.size() <= 9 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  const int value = digits ? std::stoi(text) : -1;
  if (value < least || value > most)
    throw Refusal(std::string(option) + " takes whole numbers from " + std::to_string(least) +
                  " to " + std::to_string(most) + ", not '" + text + "'");
  return value;
}

std::vector<int> list(const std::string& text, const char* option, int least, int most) {
  std::vector<int> values;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    const int value = whole(text.substr(start, end - start), option, least, most);
    if (std::find(values.begin(), values.end(), value) != values.end())
      throw Refusal(std::string(option) + " names " + std::to_string(value) + " twice");
    values.push_back(value);
    start = end + 1;
  }
  return values;
}

double duration(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value) || value <= 0 || value > kLongest)
    throw Refusal("--duration takes seconds, more than 0 and at most 86400, not '" + text + "'");
  return value;
}

// The cores of a hexadecimal mask, as taskset has it.
std::vector<int> mask(const std::string& text) {
  const std::string digits =
      text.rfind("0x", 0) == 0 || text.rfind("0X", 0) == 0 ? text.substr(2) : text;
  const bool is_mask = !digits.empty() && digits.size() <= 64 &&
                       digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  std::vector<int> cores;
  for (size_t i = 0; is_mask && i < digits.size(); i++) {
    const int nibble = std::stoi(std::string(1, digits[digits.size() - 1 - i]), nullptr, 16);
    for (int bit = 0; bit < 4; bit++)
      if (nibble >> bit & 1) cores.push_back(static_cast<int>(4 * i) + bit);
  }
  if (cores.empty())
    throw Refusal("--affinity takes cores as a hexadecimal mask, such as f0, not '" + text + "'");
  return cores;
}

PeerModel peer_model(const std::string& text) {
  const size_t equals = text.find('=');
  const bool has_bits = equals != std::string::npos && equals > 0 && equals <= 2 &&
                        text.find_first_not_of("0123456789") == equals;
  if (!has_bits) return {text, std::nullopt};
  const int bits = std::stoi(text);
  if (!is_bit_width(bits) && bits != kFloat)
    throw Refusal("--model has " + std::to_string(bits) + " bits, not 4, 5, 6, 8 or 32");
  return {text.substr(equals + 1), bits};
}

Accelerator accelerator(const std::string& text) {
  if (text == "cpu") return Accelerator::kCpu;
  if (text == "nnapi") return Accelerator::kNnapi;
  throw Refusal("--accelerator is cpu or nnapi, not '" + text + "'");
}

Peer& last_peer(Options& options, const std::string& option) {
  if (options.peers.empty()) throw Refusal(option + " belongs to a --library, which is not named");
  return options.peers.back();
}

void take(Options& options, const std::string& option, const std::string& value) {
  if (option == "--tiles") {
    options.tiles = value;
  } else if (option == "--isa") {
    options.isa = value;
  } else if (option == "--bits") {
    options.bits = list(value, "--bits", 4, 8);
  } else if (option == "--rounds") {
    options.rounds = whole(value, "--rounds", 1, kMostRounds);
  } else if (option == "--duration") {
    options.seconds = duration(value);
  } else if (option == "--affinity") {
    options.cores = mask(value);
  } else if (option == "--picture") {
    options.picture = value;
  } else if (option == "--plan") {
    options.plan = value;
  } else if (option == "--workers") {
    options.workers = list(value, "--workers", 1, kMostWorkers);
  } else if (option == "--library") {
    options.peers.push_back({value, {}});
  } else if (option == "--model") {
    last_peer(options, option).models.push_back(peer_model(value));
  } else if (option == "--accelerator") {
    last_peer(options, option).accelerator = accelerator(value);
  } else {
    throw Refusal("there is no option " + option + "; gdq_run --help lists them");
  }
}

void check(const Options& options) {
  if (options.model.empty() && options.peers.empty())
    throw Refusal("there is nothing to measure: name a packed model or a --library");
  if (options.tiles.empty()) throw Refusal("--tiles is missing: nothing is timed before them");
  if (options.picture.empty() != options.plan.empty())
    throw Refusal("--picture and --plan belong together");
  if (!options.workers.empty() && options.plan.empty())
    throw Refusal("--workers share a whole picture, which --plan is missing for");
  for (const int bits : options.bits)
    if (!is_bit_width(bits)) throw Refusal("--bits are 4, 5, 6 or 8, not " + std::to_string(bits));
  for (const Peer& peer : options.peers)
    if (peer.models.empty()) throw Refusal("--library " + peer.library + " needs a --model");
}

}  // namespace

bool is_bit_width(int bits) { return bits == 4 || bits == 5 || bits == 6 || bits == 8; }

Options parse_options(int count, const char* const* arguments) {
  Options options;
  for (int i = 1; i < count; i++) {
    const std::string word = arguments[i];
    if (word == "--help" || word == "-h") {
      options.help = true;
      return options;
    }
    if (word.rfind('-', 0) == 0) {
      if (i + 1 == count) throw Refusal(word + " has no value behind it");
      take(options, word, arguments[++i]);
    } else if (options.model.empty()) {
      options.model = word;
    } else {
      throw Refusal("there are two packed models: " + options.model + " and " + word);
    }
  }
  check(options);
  if (!options.rounds && !options.seconds) options.rounds = kDefaultRounds;
  if (options.workers.empty()) options.workers = {1};
  return options;
}

}  // namespace gdq::run
