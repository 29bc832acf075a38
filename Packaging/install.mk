# SPDX-License-Identifier: Apache-2.0
#
# Installs what Packaging/collect gathered, or what a release's archive holds: there this is the Makefile.
#
#     make install [PREFIX=/usr/local] [DESTDIR=]
#     make uninstall
#
# xdpctl goes to sbin, as bpftool, xdp-loader and tc do on Debian: it is of use to root only.

FILES ?= .
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
# Where systemd and udev look: they say it themselves where they are.
ask = $(shell pkg-config --variable=$(1) $(2) 2>/dev/null)
UNITDIR ?= $(or $(call ask,systemdsystemunitdir,systemd),$(PREFIX)/lib/systemd/system)
UDEVDIR ?= $(or $(call ask,udevdir,udev),$(PREFIX)/lib/udev)

INSTALL ?= install
UNITS := xdpctl.service xdpctl@.service
MANUAL := $(notdir $(wildcard $(FILES)/man/*.8))

# Units name the places they were installed to.
fill = sed -e 's|@sbindir@|$(SBINDIR)|g' -e 's|@sysconfdir@|$(SYSCONFDIR)|g' \
	-e '/^@hardening@$$/{r $(FILES)/systemd/hardening.conf' -e 'd}'

.PHONY: install uninstall

install:
	$(INSTALL) -d $(addprefix $(DESTDIR),$(SBINDIR) $(MANDIR)/man8 $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(UNITDIR) \
		$(UDEVDIR)/rules.d $(SYSCONFDIR)/xdpctl)
	$(INSTALL) -m 755 $(FILES)/xdpctl $(DESTDIR)$(SBINDIR)/xdpctl
	$(INSTALL) -m 644 $(FILES)/man/*.8 $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 $(FILES)/completions/xdpctl.bash $(DESTDIR)$(BASHDIR)/xdpctl
	$(INSTALL) -m 644 $(FILES)/completions/xdpctl.zsh $(DESTDIR)$(ZSHDIR)/_xdpctl
	$(INSTALL) -m 644 $(FILES)/completions/xdpctl.fish $(DESTDIR)$(FISHDIR)/xdpctl.fish
	for unit in $(UNITS); do \
		$(fill) $(FILES)/systemd/$$unit.in >$(DESTDIR)$(UNITDIR)/$$unit && \
		chmod 644 $(DESTDIR)$(UNITDIR)/$$unit || exit; \
	done
	$(INSTALL) -m 644 $(FILES)/systemd/90-xdpctl.rules $(DESTDIR)$(UDEVDIR)/rules.d/90-xdpctl.rules
	$(INSTALL) -m 644 $(FILES)/etc/README $(DESTDIR)$(SYSCONFDIR)/xdpctl/README

# The administrator's files in /etc/xdpctl stay, and so do chains: they are the kernel's.
uninstall:
	rm -f $(addprefix $(DESTDIR),$(SBINDIR)/xdpctl $(addprefix $(MANDIR)/man8/,$(MANUAL)) $(BASHDIR)/xdpctl \
		$(ZSHDIR)/_xdpctl $(FISHDIR)/xdpctl.fish $(addprefix $(UNITDIR)/,$(UNITS)) \
		$(UDEVDIR)/rules.d/90-xdpctl.rules $(SYSCONFDIR)/xdpctl/README)
	if [ -d $(DESTDIR)$(SYSCONFDIR)/xdpctl ]; then \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$(SYSCONFDIR)/xdpctl; fi
