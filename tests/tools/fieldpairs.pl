#!/usr/bin/perl
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# fieldpairs.pl PICTURES OUT: from H.264 in Annex B, each picture a field, make a stream in which two fields are a frame,
# top first. No encoder at hand makes such streams, so slice headers are written anew; what is in the slices stays, and the
# motion vectors then point at other fields than was meant, which decoders do not mind.
# PICTURES: Main profile, CAVLC, no B pictures, one reference, one slice, no weights, an even number from IDR to IDR.
# Knowledge: ITU-T H.264 7.3.2.1, 7.3.3 and 8.2.1.3.

use strict;
use warnings;

my ($in, $out) = @ARGV;
my ($bits, $pos, $made);   # of the unit that is read, and of the one that is written

sub u    { my $v = substr($bits, $pos, $_[0]); $pos += $_[0]; return oct("0b$v") }
sub put  { my ($n, $v) = @_; $made .= sprintf("%0${n}b", $v); return $v }
sub copy { return put($_[0], u($_[0])) }

sub ue {
    my $zeros = index($bits, '1', $pos) - $pos;
    $pos += $zeros;
    return u($zeros + 1) - 1;
}

sub put_ue {
    my $v = sprintf('%b', $_[0] + 1);
    $made .= '0' x (length($v) - 1) . $v;
    return $_[0];
}

sub copy_ue { return put_ue(ue()) }

# read(UNIT), without what keeps start codes out of it, and without its last bit
sub begin {
    my ($nal) = @_;
    my $text = substr($nal, 1);
    $text =~ s/\0\0\x03/\0\0/g;
    ($bits = unpack('B*', $text)) =~ s/10*$//;
    ($pos, $made) = (0, '');
}

# What was written, with what has not been read.
sub unit {
    my ($head) = @_;
    my $text = $made . substr($bits, $pos) . '1';
    $text .= '0' x (-length($text) % 8);
    $text = pack('B*', $text);
    $text =~ s/\0\0(?=[\0-\x03])/\0\0\x03/g;
    return "\0\0\0\1" . chr($head) . $text;
}

my $frame_num_size;

sub sequence {
    my ($nal) = @_;
    begin($nal);
    copy(24);
    copy_ue();                                   # seq_parameter_set_id
    $frame_num_size = 4 + copy_ue();
    copy_ue() == 2 or die "$in: pic_order_cnt_type is not 2";
    ue();
    put_ue(2);                                   # max_num_ref_frames
    copy(1);
    copy_ue() for 1 .. 2;                        # size: the height is that of a field in both
    u(1) or die "$in: interlaced already";
    put(2, 0);                                   # frame_mbs_only_flag, mb_adaptive_frame_field_flag
    u(1);
    put(1, 1);                                   # direct_8x8_inference_flag
    copy(1) and die "$in: cropped";
    put(1, 1);                                   # VUI: only the rate, 50 fields a second
    put(4, 0);
    put(1, 1);
    put(32, 1);
    put(32, 50);
    put(1, 1);
    put(4, 0);
    $bits = '';
    $pos  = 0;
    return unit(ord $nal);
}

my ($nb_fields, $frame_num, $idr_id) = (0, 0, 0);

sub slice {
    my ($nal) = @_;
    my $is_idr = (ord($nal) & 31) == 5;
    my $bottom = $nb_fields++ % 2;
    my $first  = $is_idr && !$bottom;
    begin($nal);
    copy_ue();
    my $is_p = copy_ue() % 5 == 0;
    copy_ue();
    u($frame_num_size);
    $frame_num = $first ? 0 : $frame_num + !$bottom;
    put($frame_num_size, $frame_num % (1 << $frame_num_size));
    put(2, 2 + $bottom);                         # field_pic_flag, bottom_field_flag
    ue() if $is_idr;
    put_ue($idr_id++ % 2) if $first;
    if ($is_p) {
        ue() if u(1);
        u(1) and die "$in: references are reordered";
        put(1, 1);                               # one reference
        put_ue(0);
        put(1, 0);
    }
    u($is_idr ? 2 : 1);
    put($first ? 2 : 1, 0);                      # nothing special about references
    return unit(0x60 | ($first ? 5 : 1));
}

open my $file, '<:raw', $in or die "$in: $!";
my $data = do { local $/; <$file> };
open my $made_file, '>:raw', $out or die "$out: $!";
my ($sps, $pps);
for my $nal (grep { length } split /\x00\x00\x01/, $data) {
    my $type = ord($nal) & 31;
    $nal =~ s/\0+$//;
    if ($type == 7) {
        $sps = sequence($nal);
    } elsif ($type == 8) {
        $pps = "\0\0\0\1$nal";
    } elsif ($type == 5 || $type == 1) {
        print $made_file "\0\0\0\1\x09\xf0", $type == 5 && $nb_fields % 2 == 0 ? ($sps, $pps) : (), slice($nal);
    }
}
close $made_file or die "$out: $!";
