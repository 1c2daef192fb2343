# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make [V=1] [all|check|check-unit|check-integration|check-asan|check-tsan|
#             check-corpus|check-faults|bench|demo|install|uninstall|clean|distclean]

all:

-include config.mak
ifndef SRC
NO_CONFIG = $(filter-out clean distclean,$(or $(MAKECMDGOALS),all))
ifneq ($(NO_CONFIG),)
$(error no config.mak here: run ./configure first)
endif
SRC = .
endif

vpath %.c $(SRC)

### what there is

# front.c holds main(): it hands over to stock, or loads ffleet.c and all the rest.
# Tests link with everything else.
FFTOOLS_OBJS = $(patsubst $(SRC)/%.c,%.o,$(wildcard $(SRC)/fftools/*.c $(SRC)/fftools/*/*.c))
FRONT_OBJS   = $(addprefix fftools/,front.o certain.o stock.o command/cmdline.o command/options.o)
CORE_OBJ     = fftools/ffleet.o
PART_OBJS    = $(filter-out fftools/front.o $(CORE_OBJ),$(FFTOOLS_OBJS))
REMOTE_OBJS  = $(patsubst $(SRC)/%.c,%.o,$(wildcard $(SRC)/remote/*.c))
UNIT_TESTS   = $(patsubst $(SRC)/%.c,%,$(wildcard $(SRC)/tests/unit/test_*.c))
TEST_TOOLS   = $(patsubst $(SRC)/%.c,%,$(wildcard $(SRC)/tests/tools/*.c))
TEST_OBJS    = $(addsuffix .o,$(UNIT_TESTS) $(TEST_TOOLS))
INTEGRATION  = $(sort $(wildcard $(SRC)/tests/integration/*.t))

REMOTE_LIB   = remote/libremote.a
PARTS_LIB    = fftools/libparts.a
CORE         = fftools/ffleet.so
PROGRAM      = ffleet

# Tools of the tests, once there, stay up to date: a test may be run by itself.
all: $(PROGRAM) $(CORE) $(REMOTE_LIB) $(wildcard $(TEST_TOOLS))

### how it is made

ifeq ($(V),1)
say =
Q   =
else
say = @printf '%s\t%s\n' $(1) $(2);
Q   = @
endif

ALL_CFLAGS = -D_GNU_SOURCE $(CPPFLAGS) -I. -I$(SRC) $(LIB_CFLAGS) $(CFLAGS) -fPIC -pthread -MMD -MP

%.o: %.c config.mak
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(TEST_OBJS): ALL_CFLAGS += $(TEST_CFLAGS)

$(REMOTE_LIB): $(REMOTE_OBJS) $(REMOTE_LIB).list
$(PARTS_LIB): $(PART_OBJS) $(PARTS_LIB).list
$(REMOTE_LIB) $(PARTS_LIB):
	@rm -f $@
	$(call say,AR,$@)$(AR) rcs $@ $(filter %.o,$^)

# A source file that is gone has no date: what was in the library then is.
$(REMOTE_LIB).list: LIST = $(REMOTE_OBJS)
$(PARTS_LIB).list: LIST = $(PART_OBJS)
$(REMOTE_LIB).list $(PARTS_LIB).list: FORCE
	@mkdir -p $(@D)
	@echo '$(LIST)' | cmp -s - $@ || echo '$(LIST)' > $@

$(CORE): $(CORE_OBJ) $(PARTS_LIB) $(REMOTE_LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -shared -Wl,-Bsymbolic -o $@ $^ $(LIBS)

# Where the program looks for the rest of it. Old dtags: sanitizers stand between dlopen() and its caller.
link_front = $(CC) $(LDFLAGS) -Wl,--disable-new-dtags -Xlinker -rpath -Xlinker '$(1)' \
             -o $@ $(FRONT_OBJS) $(REMOTE_LIB) $(FRONT_LIBS)

$(PROGRAM): $(FRONT_OBJS) $(REMOTE_LIB)
	$(call say,LD,$@)$(call link_front,$(CURDIR)/fftools)

# Linked anew each time, as make install may have got another PREFIX.
fftools/ffleet.installed: $(FRONT_OBJS) $(REMOTE_LIB) FORCE
	$(call say,LD,$@)$(call link_front,$$ORIGIN/../lib/ffleet:$(COREDIR))
FORCE:

$(UNIT_TESTS) $(TEST_TOOLS): %: %.o $(PARTS_LIB) $(REMOTE_LIB)
	$(call say,LD,$@)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(LIBS)

.SECONDARY: $(TEST_OBJS)

-include $(patsubst %.o,%.d,$(FFTOOLS_OBJS) $(REMOTE_OBJS) $(TEST_OBJS))

### tests

export FFLEET    = $(CURDIR)/$(PROGRAM)
export BUILD     = $(CURDIR)
export SRC_DIR   = $(abspath $(SRC))
RUN_TEST         = sh $(SRC)/tests/run.sh
# One more at a time than there are cores: each has hosts and folders of its own, and waits a good deal.
JOBS             = $(shell expr `nproc` + 1)
PROVE            = prove --jobs $(JOBS) --exec '$(RUN_TEST)'

tests-built: all $(UNIT_TESTS) $(TEST_TOOLS)
	@if [ "$(MISSING_TEST)" = yes ]; then \
	    echo "make: configure did not find all that the tests need: run $(SRC)/configure --install-deps" >&2; \
	    exit 1; \
	fi

check: tests-built
	$(Q)$(PROVE) $(UNIT_TESTS) $(INTEGRATION)

check-unit: tests-built
	$(Q)$(PROVE) $(UNIT_TESTS)

check-integration: tests-built
	$(Q)$(PROVE) $(INTEGRATION)

# The same tests, built with sanitizers in a directory of their own.
check-asan: SAN_OPTS = --enable-asan --enable-ubsan
check-tsan: SAN_OPTS = --enable-tsan
check-asan check-tsan: check-%:
	@mkdir -p $*-build
	$(Q)cd $*-build && $(abspath $(SRC))/configure --cc='$(CC)' $(SAN_OPTS)
	$(Q)+$(MAKE) --no-print-directory -C $*-build check

# Real commands, all of them; check runs a third.
check-corpus: tests-built
	$(Q)perl $(SRC)/tests/corpus/run.pl $(CORPUS)

# A hundred random schedules of faults; check runs a few. FFLEET_FAULT_SEED repeats one.
check-faults: tests-built
	$(Q)FFLEET_FAULTS=$${FFLEET_FAULTS:-100} TEST_TIMEOUT=7200 $(RUN_TEST) $(SRC)/tests/integration/35-schedules.t

bench: all
	$(Q)sh $(SRC)/tests/bench.sh

demo: all
	$(Q)bash $(SRC)/tests/demo.sh

### installing

BINDIR  = $(PREFIX)/bin
COREDIR = $(PREFIX)/lib/ffleet
MANDIR  = $(PREFIX)/share/man

install: all fftools/ffleet.installed
	$(call say,INSTALL,$(BINDIR)/ffleet)install -D -m 755 fftools/ffleet.installed '$(DESTDIR)$(BINDIR)/ffleet'
	$(call say,INSTALL,$(COREDIR)/ffleet.so)install -D -m 644 $(CORE) '$(DESTDIR)$(COREDIR)/ffleet.so'
	$(call say,INSTALL,$(MANDIR)/man1/ffleet.1)install -D -m 644 $(SRC)/doc/ffleet.1 '$(DESTDIR)$(MANDIR)/man1/ffleet.1'

uninstall:
	$(Q)rm -f '$(DESTDIR)$(BINDIR)/ffleet' '$(DESTDIR)$(COREDIR)/ffleet.so' '$(DESTDIR)$(MANDIR)/man1/ffleet.1'
	$(Q)rmdir '$(DESTDIR)$(COREDIR)' 2>/dev/null || :

clean:
	$(Q)rm -f $(PROGRAM) $(CORE) fftools/ffleet.installed fftools/*.[oad] fftools/*.list fftools/*/*.[od] remote/*.[oad] remote/*.list tests/*/*.[od] $(UNIT_TESTS) $(TEST_TOOLS)

distclean: clean
	$(Q)rm -rf asan-build tsan-build
	$(Q)rm -f config.h config.mak config.log
ifneq ($(SRC),.)
	$(Q)rm -f Makefile
	$(Q)rmdir fftools/* fftools remote tests/unit tests/tools tests 2>/dev/null || :
endif

.PHONY: all tests-built check check-unit check-integration check-asan check-tsan check-corpus check-faults bench demo \
        install uninstall clean distclean
.DELETE_ON_ERROR:
