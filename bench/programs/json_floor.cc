// SPDX-License-Identifier: MIT
//
// The floor of reading a request: `json_floor BODY REPETITIONS` parses a file of the form
// {"x":[…numbers, nested or not…]} with simdjson into floats, and prints the median time in
// microseconds.
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using simdjson::ondemand::json_type;

void ReadNumbers(simdjson::ondemand::array array, std::vector<float>& numbers) {
  for (simdjson::ondemand::value element : array) {
    if (element.type() == json_type::array) {
      ReadNumbers(element.get_array(), numbers);
    } else {
      numbers.push_back(static_cast<float>(static_cast<double>(element.get_double())));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const simdjson::padded_string body = simdjson::padded_string::load(argv[1]);
  simdjson::ondemand::parser parser;
  std::vector<double> times_us;
  std::vector<float> numbers;
  double sum = 0;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const auto start = std::chrono::steady_clock::now();
    numbers.clear();
    auto document = parser.iterate(body);
    ReadNumbers(document["x"].get_array(), numbers);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    times_us.push_back(std::chrono::duration<double, std::micro>(elapsed).count());
    sum += numbers.back();
  }
  std::nth_element(times_us.begin(), times_us.begin() + times_us.size() / 2, times_us.end());
  std::printf("%.1f %zu %g\n", times_us[times_us.size() / 2], numbers.size(), sum);
}
