/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FFLEET_ENCODERTRAITS_H
#define FFLEET_ENCODERTRAITS_H

/**
 * @file
 * What a video encoder remembers from segment to segment: rate control, above all, and where its
 * keyframes fall.
 *
 * Knowledge: libavcodec's encoders and their option defaults in FFmpeg 5.1 and 7.1 (the stricter of
 * both where they differ), and encodes of the same frames in one piece and in two.
 */

#include <stddef.h>

#include <libavutil/dict.h>

/** What an encoder aims at. */
enum RateDefault {
    RATE_FRAME_LOCAL, ///< lossless, or each frame's size or quality by itself
    RATE_QUALITY,     ///< CRF, constant quantiser
    RATE_BITRATE,     ///< bits a second over the stream
};

/** Which options decide. */
enum EncoderFamily {
    ENCODER_LOCAL,     ///< none
    ENCODER_MPEGVIDEO, ///< -q:v makes it constant quantiser
    ENCODER_QSCALE,    ///< likewise, keyframes as it likes
    ENCODER_GLOBAL_QUALITY, ///< likewise, also with -global_quality
    ENCODER_X264, ENCODER_X265, ENCODER_VP8, ENCODER_VP9, ENCODER_AOM, ENCODER_SVT, ENCODER_RAV1E,
    ENCODER_NVENC, ENCODER_VAAPI, ENCODER_AMF, ENCODER_OPENH264,
    ENCODER_PLAIN,     ///< a quality unless given a bit rate
    ENCODER_NEVER,     ///< not split; EncoderTraits.why tells
};

typedef struct EncoderTraits {
    const char        *name;
    enum EncoderFamily family;
    enum RateDefault   default_rate;     ///< without options
    int                intra_only;
    int                gop_fixed_native; ///< a keyframe every g frames, whatever the content
    int                default_gop;      ///< 0: not known
    const char        *why;              ///< predicate of a sentence, for ENCODER_NEVER
} EncoderTraits;

typedef struct EncoderJudgement {
    enum RateDefault rate;  ///< what it aims at with these options
    int gop;                ///< 0: keyframes anywhere, 1: each frame is one, n: every n output frames exactly
    int max_gop;            ///< at most so many frames from keyframe to keyframe; 0: not known
    int open_gop;           ///< pictures may refer across keyframes
    int threads_matter;     ///< the output depends on the number of encoder threads ("auto" is
                            ///< the number of cores): hosts must be told this machine's
} EncoderJudgement;

/** The entry for an encoder, or NULL. */
const EncoderTraits *encoder_traits(const char *name);

/**
 * The AV_CODEC_FLAG_* that an encoder is opened with. A value of -flags that has no sign in front
 * replaces all that it and ffmpeg have set before, -q:v's AV_CODEC_FLAG_QSCALE among them.
 *
 * @param value of -flags, or NULL
 * @param flags those that ffmpeg sets beside the encoder's own; on return all
 * @return 0 or AVERROR(ENOMEM)
 */
int encoder_flags(const char *name, const char *value, unsigned *flags);

/**
 * Judge an encode.
 *
 * @param opts the user's options for the stream's encoder, by their AVOption names ("b", "crf", "g",
 *             "x264-params", "flags", ...) plus "qscale" for -q:v and "pass"; unknown ones are ignored
 * @param why  the reason as one sentence; "" on success
 * @return 0: can be split; AVERROR(ENOSYS): it aims at a rate over the whole, or remembers something
 *         else; AVERROR(ENOMEM)
 */
int encoder_judge(const char *name, AVDictionary *opts, EncoderJudgement *j, char *why, size_t why_size);

#endif
