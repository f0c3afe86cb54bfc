/**
 * The interactive store.
 *
 * <pre>
 *   ShellCommand ──► Shell ──► Words         line → byte strings, and back
 *                      └─────► Operations    the commands by name, each an Operation
 *                                 └────────► Session   store, namespace, output
 * </pre>
 *
 * <p>Input is read line by line without an editor: JLine's modules are automatic ones, which a runtime image can't hold.
 */
@NullMarked
package io.loam.cli.shell;

import org.jspecify.annotations.NullMarked;
