// test_fuzz [--seconds N] [--seed S] [text ...]: the random tests whose names have one of the
// texts.
#define CHECK_OTHER_MAIN
#include <cstdlib>
#include <string_view>

#include "fuzz/rounds.h"

int main(int argc, char** argv) {
  int k = 1;
  for (; k + 1 < argc; k += 2) {
    const std::string_view option = argv[k];
    if (option == "--seconds") {
      fuzz::seconds = std::atof(argv[k + 1]);
    } else if (option == "--seed") {
      fuzz::first_seed = std::strtoull(argv[k + 1], nullptr, 10);
    } else {
      break;
    }
  }
  return check::run(argc - k, argv + k);
}
