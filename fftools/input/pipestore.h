/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_PIPESTORE_H
#define FFLEET_PIPESTORE_H

/**
 * @file
 * An input that can be read only once, read by several: what comes through the pipe is kept in a
 * nameless file in TMPDIR as it comes, and each reader gets a pipe of its own that gives it from
 * the beginning on. So that libavformat and stock ffmpeg see what they would have seen: a pipe.
 */

typedef struct PipeStore PipeStore;
typedef struct PipeFeed PipeFeed;

/**
 * Begin to read.
 * @param fd stays the caller's; nobody else may read it while the store lives. A regular file is left where it is
 * @return 0 or an AVERROR code
 */
int  pipestore_open(PipeStore **s, int fd);
/** Stop reading, and end all feeds where they are. Any thread. */
void pipestore_stop(PipeStore *s);
/** Why a feed ended before the input did: AVERROR(ENOSPC), another error of the file, AVERROR_EXIT after pipestore_stop();
 *  0: it did not. Any thread. */
int  pipestore_error(PipeStore *s);
/** The feeds have to be closed before. */
void pipestore_free(PipeStore **s);

/**
 * Open a reader.
 * @param read_fd the caller's, closed on exec. To be closed before pipestore_feed_close()
 */
int  pipestore_feed_open(PipeFeed **f, PipeStore *s, int *read_fd);
/** Ends it, wherever it is. */
void pipestore_feed_close(PipeFeed **f);

/**
 * For the program that we are about to become: make fd give all of the input once more, what was
 * read first. A process of its own sees to that, and ends with the last reader. After
 * pipestore_stop(); the store must not be used any more.
 * @return 0 or an AVERROR code: fd is as it was, AVERROR(EAGAIN): there cannot be another process
 */
int  pipestore_replay(PipeStore *s, int fd);

#endif
