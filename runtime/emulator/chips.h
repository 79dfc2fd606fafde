// SPDX-License-Identifier: Apache-2.0
// The emulated chips of this process: one driver for each configuration, executor and number, as long as somebody uses it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "emulator/driver/driver.h"
#include "emulator/emulator_node.h"

namespace kawara::emulator {

std::shared_ptr<Driver> shared_driver(const EmulatorOptions& options);

// NodeInfo::computes_on of an executor that has been made.
std::string computes_on(std::string_view executor);

const kawara_config& find_config(std::string_view name);  // throws not_found

}  // namespace kawara::emulator
