/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_SSHLOGIN_H
#define FFLEET_SSHLOGIN_H

/** @file How a session begins, in the SSH transport's connect(): both block, up to SshPriv.deadline. */

#include "transport.h"

/** Make SshPriv.session, on SshPriv.link, and believe that the host is the one it should be, or not.
 *  @return 0, AVERROR(EPERM): its key is not the known one; other AVERROR codes */
int sshlogin_handshake(Transport *t);

/** Then: show the user's keys. @return 0, AVERROR(EACCES), other AVERROR codes */
int sshlogin_authenticate(Transport *t);

#endif
