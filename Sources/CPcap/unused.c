// SPDX-License-Identifier: Apache-2.0
//
// Debian's libpcap.a can capture from D-Bus too, and so refers to libdbus, of which there is no static library that
// goes without systemd. Nothing here opens such a source: expressions are compiled, packets are not captured by
// libpcap. So the static command gets these instead. They are hidden: where libpcap is a shared library, it finds
// the real ones.

#include <stddef.h>

#define UNUSED_BY_US(name)                                                     \
    __attribute__((visibility("hidden"))) void *name(void);                    \
    void *name(void) { return NULL; }

UNUSED_BY_US(dbus_bus_add_match)
UNUSED_BY_US(dbus_bus_get)
UNUSED_BY_US(dbus_bus_register)
UNUSED_BY_US(dbus_connection_flush)
UNUSED_BY_US(dbus_connection_open)
UNUSED_BY_US(dbus_connection_pop_message)
UNUSED_BY_US(dbus_connection_read_write)
UNUSED_BY_US(dbus_connection_send)
UNUSED_BY_US(dbus_connection_set_max_received_size)
UNUSED_BY_US(dbus_connection_unref)
UNUSED_BY_US(dbus_error_free)
UNUSED_BY_US(dbus_error_is_set)
UNUSED_BY_US(dbus_free)
UNUSED_BY_US(dbus_message_demarshal)
UNUSED_BY_US(dbus_message_is_signal)
UNUSED_BY_US(dbus_message_marshal)
UNUSED_BY_US(dbus_message_unref)
