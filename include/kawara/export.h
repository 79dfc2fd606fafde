// SPDX-License-Identifier: Apache-2.0
// KAWARA_API marks what libkawara shows; everything else in it is hidden.
#pragma once
#define KAWARA_API __attribute__((visibility("default")))
