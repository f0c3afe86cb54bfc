/**
 * Genomic alignments in two forms, and the same four tools on each: flagstat, sort by name, sort by coordinate, index. Every tool is a
 * process of its own (the paper's SAMtools experiment).
 *
 * <pre>
 *   Generator ──► reads.bam                              one after the other, by htsjdk:
 *      │             BamTools  reads.bam ─► by-name.bam ─► by-coordinate.bam ─► by-coordinate.bam.bai
 *      └────────► address space "pipeline"               over the same memory:
 *                    RegionTools  regions alignments, input, by-name, by-coordinate, index
 *                       └── AlignmentLayout   a record and what it points to;  PointerVector   an order of records
 *   Flagstat, Digest   what both forms must agree in
 * </pre>
 */
@NullMarked
package io.loam.bench.alignments;

import org.jspecify.annotations.NullMarked;
