/**
 * The parts of Phaser that the frame map stands on, from Phaser's own source: `npm run build` puts this file where the map says
 * `phaser` (vite.config.ts). The whole of it, physics, tile maps, sound and loaders with it, is twice as much to fetch.
 */
import CONST from 'phaser/src/const';
// Before the game: its modules lean on each other in a circle that only this one is a way into.
import 'phaser/src/renderer';
import Game from 'phaser/src/core/Game';
import Scale from 'phaser/src/scale';
import Scene from 'phaser/src/scene/Scene';
import FilterMode from 'phaser/src/textures/const';
// Each of these signs itself in with what the scene calls: its camera, its lists, `scene.add.graphics` and the like.
import 'phaser/src/cameras/2d/CameraManager';
import 'phaser/src/events';
import 'phaser/src/gameobjects/DisplayList';
import 'phaser/src/gameobjects/UpdateList';
import 'phaser/src/gameobjects/graphics/GraphicsFactory';
import 'phaser/src/gameobjects/image/ImageFactory';
import 'phaser/src/gameobjects/shader/ShaderFactory';
import 'phaser/src/scene/ScenePlugin';

export const { AUTO, CANVAS, WEBGL } = CONST;
export const Textures = { FilterMode };
export { Game, Scale, Scene };
