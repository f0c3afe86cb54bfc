/**
 * {@code loam space}: looks at and changes a registry of regions and address spaces.
 *
 * <pre>
 *   SpaceCommand ── ls stat create attach clone rm gc watch ──► Registry, Regions, AddressSpaces
 *        └──► SpacePicture   a space's layout, and who is attached
 *             Snapshot       what the registry holds at a moment, for watch
 * </pre>
 */
@NullMarked
package io.loam.cli.space;

import org.jspecify.annotations.NullMarked;
