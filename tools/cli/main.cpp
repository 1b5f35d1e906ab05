#include <iostream>

#include "tools/cli/app.h"

int main(int argc, char** argv) { return tallystick::cli::run(argc, argv, std::cout, std::cerr); }
