import { closeAll } from '@/services/overlays' // first: its listener runs before the router's
import { createRouter, createWebHistory } from 'vue-router'
import NoChat from '@/components/NoChat.vue'
import { useSession } from '@/stores/session'
import ChatDetailView from '@/views/ChatDetailView.vue'
import LoginView from '@/views/LoginView.vue'
import MainView from '@/views/MainView.vue'
import RegisterView from '@/views/RegisterView.vue'

// All pages are in the first load, so that navigation works without the network.
const routes = [
  { path: '/login', name: 'login', component: LoginView, meta: { public: true } },
  {
    path: '/register',
    name: 'register',
    component: RegisterView,
    meta: { public: true },
  },
  {
    path: '/',
    component: MainView,
    children: [
      { path: '', name: 'home', component: NoChat },
      {
        path: 'chats/:chatId(\\d+)',
        name: 'chat',
        component: ChatDetailView,
        props: (/** @type {import('vue-router').RouteLocationNormalized} */ route) => ({
          chatId: Number(route.params.chatId),
          messageId: Number(route.query.message) || null,
        }),
      },
    ],
  },
  { path: '/:rest(.*)*', redirect: '/' },
]

const router = createRouter({ history: createWebHistory(), routes })

// Overlays and their history entries end with the page below them.
router.beforeEach(closeAll)

// After the login a user gets to the page that they wanted.
router.beforeEach((to) => {
  const { isLoggedIn } = useSession()
  if (!isLoggedIn && !to.meta.public) return loginFor(to.fullPath)
  if (isLoggedIn && to.meta.public) return String(to.query.to ?? '/')
})

/** The login page, which leads on to a path. @param {string} path */
export function loginFor(path) {
  return { name: 'login', query: path === '/' ? {} : { to: path } }
}

export default router
