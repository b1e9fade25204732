#pragma once

#include "forwarder/session.h"
